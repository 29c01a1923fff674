"""A style of your own, learned from a folder of its pictures.

First, people are drawn in the style (`pairs`): with patches of its pictures (`exemplars`,
`patchwork`), in its colours (`palette`), lines (`lines`) and shape (`shape`). Then a generator
learns from these pairs (`job`).
"""

from __future__ import annotations
