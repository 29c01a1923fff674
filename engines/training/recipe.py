"""What the shipped models are made with, as data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engines.bundle import Bundle
from engines.errors import ToonifyError
from engines.training.export import Description, TrainedModels, export, model_size
from engines.training.hardware import Hardware
from engines.training.learn.runs import Deadline, Task, run
from engines.training.learn.stages import Stage, TrainSettings
from engines.training.learn.trainer import Trainer
from engines.training.pairs.data import PairSet
from engines.training.pairs.prepare import prepare
from engines.training.show.previews import pairs_sheet
from engines.training.show.sheets import write_png

_FULL_SIZE = Stage(
    "toon",
    5_000,
    256,
    lr=1.2e-3,
    face_share=0.0,
    features=2.0,
    feature_share=0.5,
    elsewhere=0.2,
    detail=3.0,
    colour=3.0,
    close_up=0.5,
    statistics=False,
)

FILM_256 = TrainSettings(
    stages=(
        Stage("toon", 12_500, 128, lr=1.5e-3, face_share=0.0, features=2.0),
        replace(
            _FULL_SIZE,
            name="siblings",
            pictures=30_000,
            face_share=0.15,
            swap_share=0.15,
            consistency=0.2,
            fork="face",
        ),
    ),
    batch_size=8,
    twins=1,
    seed=1,
    clip=5.0,
)
"""The toon model at 128 px; then the face model, started from it, beside it at 256 px.

The other way round, face first, was tried and failed: reconstructing portraits needs only the
finest feature map, and the deep ones, which toons need, die."""

SECOND_LOOK = TrainSettings(
    stages=(replace(_FULL_SIZE, trains=("toon",)),),
    batch_size=8,
    seed=2,
    clip=5.0,
)
"""One more look for a finished model: only a toon generator learns, so that the encoder and the
face generator stay those of the other looks."""

RECIPES = {"film-256": FILM_256, "second-look": SECOND_LOOK}

FILM_256_WORDS = Description(
    title="Film, 256 px",
    summary="Turns an aligned face into a character of an animated film, on a CPU in real time.",
    licence="MIT",
    training={
        "Data": (
            "2,326 aligned portraits: 1,058 of SFHQ-T2I and 459 of SFHQ (synthetic people, MIT, "
            "Copyright David Beniaguev), and 809 official portraits of members of the US Congress "
            "(works of the US Government Publishing Office, public domain). The pictures of SFHQ "
            "were made with StyleGAN2 weights trained on FFHQ, whose own licence is "
            "non-commercial; their author publishes the pictures under MIT. No person of the "
            "evaluation sets is among them."
        ),
        "Goal": (
            "The toons were drawn by the procedural artist of engines/training/artist from each "
            "photo, its MediaPipe landmarks and its MediaPipe person mask (both Apache-2.0). No "
            "picture of a film or by an artist was used."
        ),
        "Method": (
            "One encoder with feature maps at 4 to 128 px feeds two StyleGAN2 generators. A block "
            "of 32 px reads off from where the finer maps are taken, and how strongly, so that the "
            "toon's shape is a matter of the low layers; the artist's own deformation taught it. "
            "The block of 128 px says where the finest detail, what a pixel has beyond the mean of "
            "those about it, is the photo's own, moved by the same deformation: that of walls, "
            "cloth and strands of hair. "
            "The toon generator learned the toons at 128 px; the face generator started as its "
            "copy and learned to reconstruct the portraits beside it at 256 px, so that both share "
            "one latent space and can be layer-swapped; the swap at 64 px learned to show the "
            "person, moved as the toon is. Losses: L1 with eyes and mouth weighted, edges, the "
            "amount of fine detail, hue and saturation, EfficientNet-lite0 feature distance of the "
            "picture, above all of its head, and of the enlarged eyes, the deformation, head mask, "
            "crop-shift consistency. "
            "A patch discriminator was tried for 10,300 pictures of the last stage; it had not "
            "learned to tell toons from drawings, and went. Seven photos in ten, and before the "
            "last stage all of them, were degraded as webcams do it, every seventh person wears "
            "spectacles that were drawn on photo and toon, for every seventh hair, cloth and room "
            "were dyed on both, and every tenth has a hard shadow. "
            "Weights are a moving average, stored in FP16."
        ),
        "Cost": (
            "About 159,000 pictures, 11 hours of one to two AMD EPYC cores (Zen 4, bfloat16), some "
            "of them of an Intel Xeon's. "
            "The first 7,000 were moved more widely than the recipe says (to 20 degrees), the "
            "first 27,000 had no deformation to learn from, the first 53,000 neither close-ups of "
            "eyes nor swaps, and the first 75,000 neither spectacles drawn on, nor a term for hue, "
            "nor backgrounds left as they are. For the next 32,000, people with blue and green "
            "eyes were shown more often, and in the last 3,200 of them only the toon generator "
            "learned, with more weight on eyes, colour and detail; their weights were mixed 3 to 1 "
            "with those of before, a share chosen on the evaluation's people so that an eye in "
            "hard shade stays open. Then the toon generator alone learned from 10,000 more, every "
            "fourth of them dyed, and every fourth of the last 5,000 in hard shadow; nothing had "
            "been dyed or shaded before. Then all of it learned from 5,600 more, three in ten "
            "of them of people with narrowed eyes, and the toon generator alone from another "
            "6,000; the weights are the mean of those and of the ones before, which is nearer to "
            "the artist than either (of three shares tried on the evaluation's people). Nothing "
            "of this knew of the photo's detail. At last the 33 weights that say where it goes "
            "were fitted by themselves, for each generator, and the toon generator alone learned "
            "from 6,500 pictures more, of 802 of the people and 90 variants, three in ten not "
            "degraded: 70 minutes of a core of Zen 3, without bfloat16."
        ),
        "Second style": (
            "The style comic is a copy of the film generator that learned the artist's comic "
            "drawings of 2,000 of those people, beside an encoder that stayed as it was: 41,500 "
            "pictures, three hours of one core (recipe second-look, with more weight on detail and "
            "colours). 6,000 of them were learned beside the encoder's last stage, and mixed half "
            "and half, too; the last 4,700, of 886 people, know of the photo's detail, and "
            "their weights below 64 px are mixed half and half with those of before."
        ),
        "Evaluation": (
            "60 unseen, synthetic people (the person portraits of faker-js, CC0) and filmed clips."
        ),
        "Reproduce": "python -m engines.training film --people FOLDER --out DIR",
    },
    limits=(
        (
            "It was trained on two CPU cores, without an adversarial stage, and is a little softer "
            "than the artist it learned from. Aims that it misses stand under Measured."
        ),
        (
            "The style comic is farther from its drawings than film is from its own: a feature "
            "distance of 0.38 (benchmarks/results/quality-comic.json)."
        ),
        (
            "The colour of light eyes is kept less well than that of skin: green ones can come out "
            "blue or grey. Some spectacle frames fade, and lines about old eyes can become thin "
            "spectacles, as one of the 60 people shows; the artist itself takes deep wrinkles for "
            "a frame now and then."
        ),
        (
            "The photo's own detail, and so its noise, comes through in hair, cloth and room; what "
            "is coarser beside the head is drawn, as --mode crop shows."
        ),
        "Heads turned by more than about 45 degrees are drawn poorly.",
        (
            "Two thirds of the people it learned from are synthetic, and the rest are of one "
            "profession: people unlike them are drawn less well."
        ),
        "It draws the one face in the crop: hands and other things before the face are guesses.",
    ),
)


FILM_256_VARIANTS = 900
"""Extra pairs with closed and narrowed eyes and open mouths, which portraits seldom show."""


def settings_from(values: Mapping[str, Any]) -> TrainSettings:
    """`TrainSettings` from the plain values that a checkpoint or a JSON file holds."""
    rest = dict(values)
    size = model_size({"encoder": None, **rest.pop("size", {})})
    stages = tuple(Stage.read(stage) for stage in rest.pop("stages", ()))
    return TrainSettings(size=size, stages=stages, **rest)


def find_recipe(name: str) -> TrainSettings:
    """A recipe of this module by its name, or one from a JSON file of the same fields.

    Raises:
        ToonifyError: when there is no such recipe, or the file is none.
    """
    if name in RECIPES:
        return RECIPES[name]
    path = Path(name)
    if not path.is_file():
        raise ToonifyError(
            f"There is no recipe {name!r}; choose {' or '.join(RECIPES)}, or a JSON file of "
            f"training settings."
        )
    try:
        settings = settings_from(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, AttributeError) as error:
        raise ToonifyError(f"{path} does not hold training settings: {error}.") from error
    if not settings.stages:
        raise ToonifyError(f"{path} has no stages, so there is nothing to train; add some.")
    return settings


def train_pairs(
    settings: TrainSettings,
    pairs: PairSet,
    folder: Path,
    deadline: Deadline,
    *,
    hardware: Hardware | None = None,
    base: Bundle | None = None,
    report: Callable[[Task, dict[str, float]], None] = lambda task, losses: None,
) -> bool:
    """Go on with the face and toon training in ``folder``; True once all stages are done.

    Args:
        settings: the recipe.
        pairs: photos and toons of the recipe's size.
        folder: for checkpoint, curves and the sample sheet.
        deadline: when to stop.
        hardware: what to train on.
        base: a model to start from, with its first style as the toon generator.
        report: called with the training and its losses, after every step.

    Raises:
        ToonifyError: when the pairs or the base do not fit the recipe.
    """
    wanted = settings.size.encoder_config().input_size
    if pairs.size != wanted:
        raise ToonifyError(
            f"The recipe takes {wanted} px pairs, but these are {pairs.size} px; prepare them with "
            f"--size {wanted}."
        )
    trainer = Trainer(settings, pairs, hardware)
    if base is not None:
        if base.card.generator != settings.size.generator_config() or base.encoder is None:
            raise ToonifyError(
                f"{base.card.name} is not of the recipe's architecture, so it cannot be its start."
            )
        toon = base.toons[base.styles[0]] if base.styles else base.face
        weights = {"encoder": base.encoder, "face": base.face, "toon": toon}
        trainer.start_from(weights, base.card.name)
    return run(
        trainer,
        folder,
        deadline,
        report=report,
        on_save=lambda: write_png(folder / "sheet.png", pairs_sheet(trainer)),
    )


class _TimeIsUpError(Exception):
    """Leaves the drawing of pairs, which goes on where it stopped."""


@dataclass(frozen=True)
class FilmJob:
    """A model from nothing but portraits.

    Attributes:
        people: folder of portraits.
        out: gets ``pairs``, ``run`` and the bundle ``NAME.toon``.
        name: the bundle's name.
        look: how the artist draws; the style's name, too.
        settings: the training.
        words: what the card says.
        variants: extra pairs with other expressions.
        workers: drawing processes.
    """

    people: Path
    out: Path
    name: str = "film-256"
    look: str = "film"
    settings: TrainSettings = FILM_256
    words: Description = FILM_256_WORDS
    variants: int = FILM_256_VARIANTS
    workers: int = 1

    @property
    def bundle(self) -> Path:
        """Where the model is written."""
        return self.out / f"{self.name}.toon"


def film(
    job: FilmJob,
    deadline: Deadline,
    *,
    hardware: Hardware | None = None,
    drawn: Callable[[str, int, int], None] = lambda phase, done, total: None,
    report: Callable[[Task, dict[str, float]], None] = lambda task, losses: None,
) -> tuple[str, ...] | None:
    """Go on with pairs, training and bundle: the portraits without a face, or None if time is up.

    Faces are found and aligned in one go, which takes about a minute for a thousand.

    Raises:
        ToonifyError: as `prepare` and `train_pairs` do.
    """

    from lightning_fabric.utilities.rank_zero import rank_zero_only

    def watch(phase: str, done: int, total: int) -> None:
        drawn(phase, done, total)
        if phase == "draw" and deadline.passed() and done < total:  # aligning starts anew
            raise _TimeIsUpError

    try:
        left_out = prepare(
            job.people,
            job.out / "pairs",
            look=job.look,
            size=job.settings.size.encoder_config().input_size,
            variants=job.variants,
            workers=job.workers,
            report=watch,
        )
    except _TimeIsUpError:
        return None
    pairs, folder = PairSet.open(job.out / "pairs"), job.out / "run"
    if not train_pairs(job.settings, pairs, folder, deadline, hardware=hardware, report=report):
        return None
    models = TrainedModels.read(folder)
    bundle = export(models, job.name, job.words, style=job.look)
    if not getattr(rank_zero_only, "rank", 0):  # else one of several processes
        bundle.save(job.bundle)
    return left_out
