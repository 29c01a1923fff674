"""Photo/toon pairs: from a folder of portraits to augmented batches.

Portraits are cropped (`portraits`, `aligned`) and drawn (`prepare`) into a folder (`pair_set`,
`pack`); batches are drawn from it (`sampler`) and changed at random (`augment`, `dyes`, `eyewear`,
`shades`).
"""

from __future__ import annotations
