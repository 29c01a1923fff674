"""The page to try: a photo in, its toon out, in memory; and random characters.

A photo is decoded, drawn and encoded in one thread (`maker`), behind a queue with limits (`desk`).
"""

from __future__ import annotations
