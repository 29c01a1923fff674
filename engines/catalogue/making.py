"""New models from others, written to disk: imported from public checkpoints, or blended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from engines.blending import BlendSpec
from engines.bundle import Bundle
from engines.errors import ToonifyError, UsageError
from engines.files import check_writable, taken


def import_into(
    target: Path,
    face: Path,
    toons: Sequence[Path] = (),
    progress: Callable[[str, float | None], None] = lambda step, share: None,
) -> Bundle:
    """Public StyleGAN2 checkpoints as a bundle; nothing in them is executed.

    Args:
        target: a new folder, or a file ending in .toon.
        face: the generator of real faces; alone, the bundle's only style as well.
        toons: generators fine-tuned from it, one style each.
        progress: told what is being done, and the share of it that is, None where unknown.

    Returns:
        the saved bundle; what a user should know about its files is in `card.limits`.

    Raises:
        UsageError: one of them is a folder.
        CheckpointError: a file cannot be read, or the files do not fit together.
        WriteError: `target` cannot be written.
    """
    from engines.checkpoints.importing import import_checkpoint

    for path in (face, *toons):
        if path.is_dir():
            raise UsageError(f"{path} is a folder, not a checkpoint; give the file itself.")
    return import_checkpoint(face, target, blend_with=toons, progress=progress)


def blend_into(
    target: Path,
    bundle: Bundle,
    style: str | None = None,
    name: str | None = None,
    *,
    swap: int | None = 16,
    level: str = "conv0",
    low: str = "toon",
    width: float = 0.0,
    strength: float = 1.0,
) -> Bundle:
    """A copy of a bundle whose style is shown with another layer swap, as its first style.

    Args:
        target: a new folder, or a file ending in .toon.
        style: one of the bundle's; None for its first.
        name: of the copy; None for the stem of `target`.
        swap, level, low, width, strength: see `engines.blending.BlendSpec`.

    Raises:
        UsageError: the bundle has no such style, or the blend is not valid.
        ToonifyError: `target` exists or cannot be written.
    """
    spec = BlendSpec(swap, level, low, width, strength=strength)  # type: ignore[arg-type]
    chosen = style or bundle.styles[0]
    bundle.generator(chosen, spec)  # refuses before anything is written
    if taken(target):
        raise ToonifyError(f"{target} exists; give another --out.")
    check_writable(target)
    card = bundle.card
    styles = {chosen: replace(card.styles[chosen], blend=spec)}
    styles |= {other: card.styles[other] for other in card.styles if other != chosen}
    card = replace(card, name=name or target.stem, styles=styles)
    return replace(bundle, card=card).save(target)
