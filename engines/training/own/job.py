"""From a folder of pictures to a model that draws in their style: `toonify train style`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from engines.blending import BlendSpec, layer_weights
from engines.bundle import Bundle, check_place
from engines.card import Style
from engines.errors import ToonifyError
from engines.finish import PLAIN, Finish
from engines.say import Say
from engines.training.hardware import Hardware, agreed
from engines.training.learn.distil import distiller, with_encoder
from engines.training.learn.encoder import DistilSettings
from engines.training.learn.runs import Deadline, OnStep
from engines.training.learn.style import StyleSettings, StyleTrainer, start_of
from engines.training.own.pairs import StylePictures, draw_people, style_of
from engines.training.own.shape import FEWEST_FACES
from engines.training.pairs.pair_set import PairSet
from engines.training.pairs.portraits import (
    BY_HAND,
    Crops,
    listing,
    people_files,
    picture_files,
    prepared_people,
    read_folder,
    read_people,
)
from engines.training.progress import Progress, Track, silent
from engines.training.show.previews import encoder_sheet, run_with_sheet, style_sheet
from engines.training.work_folder import PICTURES, claim, claimed, fingerprint

# All layers are the new generator's: the low ones hold the style's shape and keep people's poses.
DEFAULT_BLEND = BlendSpec(swap_resolution=None)
FEWEST_PICTURES = 20


@dataclass(frozen=True)
class StyleJob:
    """How to make one own style.

    Attributes:
        pictures: folder of the style's pictures.
        people: folder of any portraits, or one made by `toonify train prepare`.
        out: where the bundle is written.
        work: folder for crops and checkpoints.
        name: name of the style in the bundle.
        aligned: whether the style's pictures are square face crops already.
        blend: how the new generator is mixed with the face generator.
        start: which of the base's generators to start from, see `start_of`.
        finish: what is done to live pictures of it.
        style, encoder: settings of the two trainings.
    """

    pictures: Path
    people: Path
    out: Path
    work: Path
    name: str
    aligned: bool = False
    blend: BlendSpec = DEFAULT_BLEND
    start: str | None = None
    finish: Finish = PLAIN
    style: StyleSettings = field(default_factory=StyleSettings)
    encoder: DistilSettings = field(default_factory=lambda: DistilSettings(pictures=4_000))

    def identity(self, base: Bundle) -> dict[str, Any]:
        """What decides the training. A work folder belongs to one identity, so runs never mix."""
        return {
            "pictures": str(self.pictures.resolve()),
            "people": str(self.people.resolve()),
            "aligned": self.aligned,
            "base": base.card.name,
            "weights": fingerprint(base.encoder or {}, base.face, start_of(base, self.start)[1]),
            "blend": asdict(self.blend),
            "style": asdict(self.style),
            "encoder": asdict(self.encoder),
        }


def train_style(
    job: StyleJob,
    base: Bundle,
    deadline: Deadline,
    *,
    hardware: Hardware | None = None,
    say: Say = print,
    track: Track[Path] = iter,
    progress: Progress = silent,
    report: OnStep = lambda task, losses: None,
) -> Bundle | None:
    """Start or continue training a style, and write its bundle.

    Args:
        job: what to make.
        base: the model to start from.
        deadline: when to stop.
        hardware: what to train on.
        say: called with a line for the user.
        track: wraps the lists of picture files, for a progress bar.
        progress: called with the phase "drawing" while people are drawn.
        report: called after each training step, of the generator and then of the encoder.

    Returns:
        the bundle, or None if time was up first.

    Raises:
        ToonifyError: when the folders hold nothing to learn from, or the work folder belongs to
            another run.
    """
    check_job(job, base)
    people, pictures = claimed(job.work, job.identity(base), lambda: _crops(job, base, say, track))
    style = style_of(pictures, people)
    if not style.known:
        say(
            f"Landmarks were found on fewer than {FEWEST_FACES} faces of the style or of the "
            f"people, so the style's light, colours and lines are learned, but not its shape."
        )
    pairs = _pairs(job, people, style, hardware or Hardware(), deadline, progress)
    if pairs is None:
        return None
    artist = StyleTrainer(base, pairs, pictures.images, job.style, hardware, job.start)
    place, picture = job.work / "generator", job.work / "style.png"
    if not run_with_sheet(artist, place, deadline, style_sheet, picture, report):
        return None
    styled = _styled(job, base, artist, len(pictures))
    encoder = distiller(styled, people, {job.name: job.blend}, job.encoder, hardware)
    place, picture = job.work / "encoder", job.work / "encoder.png"
    if not run_with_sheet(encoder, place, deadline, encoder_sheet, picture, report):
        return None
    note = (
        f"Distilled for the blend of {job.name!r} on {encoder.drawn} crops of {len(people)} people."
    )
    bundle = with_encoder(styled, encoder, note)
    return bundle.save(job.out) if encoder.fabric.is_global_zero else bundle


def check_job(job: StyleJob, base: Bundle) -> None:
    """Check what would otherwise fail only after long work: blend, names, folders, output path.

    Raises:
        ToonifyError: saying which of them is wrong.
    """
    layer_weights(job.blend, base.card.generator.resolution)
    styles = {job.name: Style("", job.blend)}
    replace(base.card, name=job.out.stem.lower(), styles=styles)  # checks the names
    check_place(job.out)
    picture_files(job.pictures)
    people_files(job.people)
    prepared_people(job.people, _people_size(base))


def _people_size(base: Bundle) -> int:
    """Side of the pictures of people, pixels."""
    encoder = base.card.encoder
    return encoder.input_size if encoder else base.card.generator.resolution


def _pairs(
    job: StyleJob,
    people: PairSet,
    style: StylePictures,
    hardware: Hardware,
    deadline: Deadline,
    progress: Progress,
) -> PairSet | None:
    """People drawn in the style; None if time is up. With several processes, one draws for all."""
    fabric = hardware.launch(job.style.seed)
    with fabric.rank_zero_first():
        pairs = draw_people(
            people,
            style,
            job.work / "drawn",
            job.style.num_people,
            fabric.device,
            deadline,
            progress=progress,
        )
    return None if agreed(fabric, pairs is None) else pairs


def _crops(job: StyleJob, base: Bundle, say: Say, track: Track[Path]) -> tuple[PairSet, Crops]:
    side = base.card.generator.resolution
    cache = job.work / "style.npz"
    style = read_folder(job.pictures, side, aligned=job.aligned, cache=cache, track=track)
    if len(style) < FEWEST_PICTURES:
        raise ToonifyError(
            f"{job.pictures} gave {len(style)} faces, but a style needs at least "
            f"{FEWEST_PICTURES}, better about 300; add pictures, or {BY_HAND}."
        )
    if style.left_out:
        say(
            f"No face was found in {len(style.left_out)} pictures "
            f"({', '.join(style.left_out[:20])}); to use them, {BY_HAND}."
        )
    people = read_people(job.people, _people_size(base), job.work / "people.npz", track=track)
    # Pictures may be added while faces are missing, but not once training has begun.
    found = {"pictures": picture_files(job.pictures), "people": people_files(job.people)}
    claim(job.work, {what: listing(files) for what, files in found.items()}, PICTURES)
    return people, style


def _styled(job: StyleJob, base: Bundle, artist: StyleTrainer, pictures: int) -> Bundle:
    card = replace(
        base.card,
        name=job.out.stem.lower(),
        title=f"{job.name}, an own style",
        summary=f"Learned from {pictures} pictures, starting from the {artist.start} model of "
        f"{base.card.name}.",
        styles={job.name: Style(f"learned from {pictures} pictures", job.blend, job.finish)},
        licence=f"The base model's ({base.card.licence or 'not stated'}), and the terms of the "
        f"pictures that the style was learned from.",
        training={
            **base.card.training,
            "Own style": f"The {artist.start} generator of {base.card.name}, fine-tuned for "
            f"{artist.drawn} pictures on {int((artist.sampler.pairs.weight > 0).sum())} pairs of "
            f"people and of how patches of the style's pictures draw them, and by a discriminator "
            f"with adaptive augmentation that knows these pictures.",
        },
        metrics={},
        limits=(
            *base.card.limits,
            "The style's shape is what landmarks show of it: of faces, not of hair or clothes.",
            "How the style draws hair or clothes, for example by hatching, is not learned.",
        ),
    )
    return replace(base, card=card, toons={job.name: artist.weights()})
