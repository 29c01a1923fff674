"""Public checkpoints turned into a bundle: what `toonify models import` does.

A public generator draws faces from random latents. It has no encoder for a camera's pictures. The
bundle made here holds the generators, `Bundle.network` refuses it and says what to do, and training
can give it an encoder.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from engines.blending import BlendError, BlendSpec, blend
from engines.bundle import SUFFIX, Bundle
from engines.card import STYLE_NAME, STYLE_NAME_LENGTH, Card, Style
from engines.checkpoints.neutral import CheckpointError, NeutralCheckpoint
from engines.checkpoints.reader import read_checkpoint
from engines.files import check_writable, taken
from engines.networks.generator_config import GeneratorConfig

UNKNOWN_LICENCE = (
    "Not stated by the file. Weights published by NVIDIA, and all made from them, are for "
    "non-commercial use only."
)
_NO_ENCODER = (
    "It has no encoder yet, so it draws faces but cannot turn a picture into a toon; training "
    "adds one."
)


def import_checkpoint(
    file: str | Path,
    out: str | Path,
    *,
    blend_with: Sequence[str | Path] = (),
    styles: Sequence[str] = (),
    spec: BlendSpec | None = None,
    licence: str = UNKNOWN_LICENCE,
    overwrite: bool = False,
    progress: Callable[[str, float | None], None] = lambda step, share: None,
) -> Bundle:
    """Reads generators of any supported format and saves them as a bundle without encoder.

    Args:
        file: the generator that draws people; alone, the bundle's only style as well.
        out: a directory, or one file if it ends in `.toon`; its stem becomes the model's name.
        blend_with: toon generators fine-tuned from `file`'s model, one style each.
        styles: their names (small letters, digits, - and _); by default the files' own.
        spec: the layer swap that the styles are shown with; None for `BlendSpec()`. A file alone
            has nothing to swap with.
        licence: the weights' licence, for the card.
        overwrite: replace a bundle that is already at `out`.
        progress: told what is being done, and the share of it that is, None where unknown.

    Returns:
        the saved bundle; what a user should know about its files is in `card.limits`.

    Raises:
        CheckpointError: a file that cannot be read or stored, files that do not fit together, a
            name that cannot be used, or something at `out`.
        BundleError: `out` is a folder that holds something else than a bundle.
        WriteError: `out` cannot be written.
    """
    out, toon_files = Path(out), [Path(path) for path in (blend_with or (file,))]
    there = taken(out)
    if there and not overwrite:
        raise CheckpointError(f"{out} is there already; choose another place, or ask to overwrite.")
    if not there:
        check_writable(out)  # before minutes of reading
    names = _style_names(toon_files, styles)
    face = _read(Path(file), progress)
    toons = [_read(Path(path), progress) for path in blend_with] or [face]
    spec = (spec or BlendSpec()) if blend_with else BlendSpec(swap_resolution=None)
    for path, checkpoint in zip(toon_files, toons, strict=True):
        _check_storable(path, checkpoint)
        try:
            blend(face.state, checkpoint.state, spec)
        except BlendError as error:
            raise CheckpointError(f"{path} cannot be blended with {file}: {error}") from error

    files = {Path(file): face, **dict(zip(toon_files, toons, strict=True))}
    notes = [f"{path.name}: {note}" for path, one in files.items() for note in one.notes]
    if any(toon.conv_clamp != face.conv_clamp for toon in toons):
        notes.append(
            f"The files were trained with different activation clamps; all run with "
            f"{Path(file).name}'s ({face.conv_clamp})."
        )
    config = GeneratorConfig.from_state(face.state, conv_clamp=face.conv_clamp)
    card = Card(
        name=out.name.removesuffix(SUFFIX),
        generator=config,
        styles={
            name: Style(f"StyleGAN2 generator of {path.name}", spec)
            for name, path in zip(names, toon_files, strict=True)
        },
        title=f"Imported from {', '.join(path.name for path in files)}",
        summary=f"StyleGAN2 at {config.resolution} px, converted from public checkpoint formats.",
        licence=licence,
        training={
            "Source": "; ".join(
                f"{path.name} ({one.source}, sha256 {_sha256(path)})" for path, one in files.items()
            )
        },
        limits=(_NO_ENCODER, *notes),
    )
    progress(f"Writing {out.name}", None)
    toon_states = {name: toon.state for name, toon in zip(names, toons, strict=True)}
    return Bundle(card, face.state, toon_states).save(out)


def _read(path: Path, progress: Callable[[str, float | None], None]) -> NeutralCheckpoint:
    progress(f"Reading {path.name}", None)
    return read_checkpoint(path, lambda share: progress(f"Mean latent of {path.name}", share))


def _style_names(files: Sequence[Path], given: Sequence[str]) -> list[str]:
    if given and len(given) != len(files):
        raise CheckpointError(
            f"{len(files)} style names are needed, one per toon, not {len(given)}."
        )
    own = [re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_") for path in files]
    names = list(given or (name[:STYLE_NAME_LENGTH] or "toon" for name in own))
    for name in names:
        if not STYLE_NAME.fullmatch(name):
            raise CheckpointError(
                f"{name!r} cannot name a style; use up to {STYLE_NAME_LENGTH} small letters, "
                f"digits, - and _."
            )
        if names.count(name) > 1:
            raise CheckpointError(f"Two styles would be named {name!r}; give each its own name.")
    return names


def _check_storable(path: Path, checkpoint: NeutralCheckpoint) -> None:
    """Bundles store FP16: refuses weights that do not fit it, before anything is written."""
    largest = torch.finfo(torch.float16).max
    for name, tensor in checkpoint.state.items():
        if float(tensor.abs().max()) > largest:
            raise CheckpointError(
                f"{path} cannot be stored in a bundle: {name} exceeds FP16's {largest:.0f}."
            )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while piece := file.read(2**20):
            digest.update(piece)
    return digest.hexdigest()
