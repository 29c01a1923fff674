"""What live pictures of a style get beside what its network draws."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finish:
    """How live pictures of a style are finished.

    Attributes:
        painted_eyes: the eyes that the network draws are only the ground on which eyes are painted,
            at the frame's own resolution (`realtime.toons.eyes`), and a brow that it lost is drawn
            as its twin (`realtime.toons.brows`). For styles that were learned from
            the artist's eyes, of networks that say where they take the photo's detail from.
        inked: flat bands of light and ink are drawn at the toon's own resolution
            (`realtime.toons.finish.ink`), as a network draws them softly, and mouths and nostrils
            are made even (`realtime.toons.features`).
        relief: skin is ironed, its folds are lifted, and it gets light and shade from the face's
            own relief, as a film's renderer gives them (`realtime.toons.finish.skin`, `.folds` and
            `.relief`), and mouths and noses are a film's (`realtime.toons.features`). For networks
            that say where they take the photo's detail from.
        haired_brows: brows keep some of the person's own hairs, at the frame's own resolution
            (`realtime.toons.detail.brows_of`). For the same networks, of styles whose brows are the
            person's and not lines.
        reshaped: eyes are rounder and a little larger than the network draws them, brows lower and,
            where eyes are painted, bolder, noses broader, corners of mouths a little higher, eyes
            lower in the face and chins smaller (`realtime.toons.shapes`, `realtime.toons.brows`).
            For the same networks, of styles that were learned from the artist's shapes.
    """

    painted_eyes: bool = False
    inked: bool = False
    relief: bool = False
    haired_brows: bool = False
    reshaped: bool = False


PLAIN = Finish()
"""As the network draws it."""
