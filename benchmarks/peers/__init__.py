"""Networks others publish, rebuilt from their layer tables to be timed beside ours.

All take and return what a `ToonNetwork` does, so every back end runs them. Weights are random:
speed does not depend on them, and looks are not compared here.
"""

from __future__ import annotations
