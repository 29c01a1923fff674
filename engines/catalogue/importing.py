"""Public StyleGAN2 checkpoints made into a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engines.blending import BlendSpec, blend
from engines.bundle import Bundle, Card, Style
from engines.checkpoints import read_checkpoint
from engines.networks.generator import GeneratorConfig


@dataclass(frozen=True)
class Import:
    """A bundle made from checkpoints and what its user should know, one sentence each."""

    bundle: Bundle
    notes: tuple[str, ...]


def import_checkpoints(
    face: Path, toons: Sequence[Path] = (), *, name: str, spec: BlendSpec | None = None
) -> Import:
    """A bundle of a face generator and the toon generators fine-tuned from it.

    face: any file that `read_checkpoint` takes.
    toons: the same, one style each, named after its file; none gives one style, the face itself.
    spec: how styles are shown by default; None swaps at 16 px.
    Raises `CheckpointError` for a file that cannot be read, `BlendError` for two that do not fit.
    """
    base = read_checkpoint(face)
    notes = [f"{face.name}: {note}" for note in base.notes]
    styles = {}
    states = {}
    for path in toons or [face]:
        checkpoint = read_checkpoint(path) if toons else base
        style = Style(f"from {path.name}", spec or BlendSpec())
        blend(base.state, checkpoint.state, style.blend)  # refuses strangers before anything else
        states[path.stem] = checkpoint.state
        styles[path.stem] = style
        if toons:
            notes += [f"{path.name}: {note}" for note in checkpoint.notes]
    card = Card(
        name=name,
        generator=GeneratorConfig.from_state(base.state, conv_clamp=base.conv_clamp),
        styles=styles,
        title=name,
        summary="Imported from public checkpoints.",
        licence="as the checkpoints' own; not checked",
    )
    return Import(Bundle(card, base.state, states), tuple(notes))
