"""`toonify image` and `toonify video`: files in, files out."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PillowImage

from engines.animations import (
    ANIMATED_SUFFIXES,
    Animation,
    AnimationFrame,
    find_animation,
    write_animation,
)
from engines.errors import ToonifyError, reason
from engines.files import WriteError, atomic_path, check_writable
from engines.pictures import Picture, PictureError, open_picture, read_picture
from engines.say import Say
from realtime.api import Toonifier
from realtime.clocks import check_statistics, write_statistics
from realtime.commands.screen import frame_progress, print_statistics
from realtime.sinks.files import unused
from realtime.sources.pictures import list_pictures

if TYPE_CHECKING:
    from realtime.settings import Settings

LOOKS, LOOK_SECONDS = 12, 0.3  # at the first frame of an animation before it begins
GIF = (".gif",)  # also of pictures in a folder, if they are any
NAMED = 5  # most names of skipped files in a message
SAVE: dict[str, dict[str, Any]] = {
    ".jpg": {"quality": 95, "subsampling": 0},
    ".webp": {"quality": 95},
    ".png": {},
}
SAVE[".jpeg"] = SAVE[".jpg"]


def write_picture(picture: Picture, image: np.ndarray, path: Path) -> Path:
    """Write a picture; as PNG if the format of `path` cannot hold it. Nothing is overwritten.

    Args:
        picture: where alpha and colour profile come from.
        image: uint8 [H, W, 3] BGR.
        path: where to write; if the file exists, a number is added to the name.

    Returns:
        Where the picture was written.

    Raises:
        ToonifyError: it cannot be written.
    """
    pixels = image[:, :, ::-1]
    if picture.alpha is not None:
        pixels = np.dstack([pixels, picture.alpha])
    suffix = path.suffix.lower()
    if suffix not in SAVE or (picture.alpha is not None and suffix in (".jpg", ".jpeg")):
        path, suffix = path.with_suffix(".png"), ".png"
    path = unused(path)
    extra: dict[str, Any] = {"icc_profile": picture.icc_profile} if picture.icc_profile else {}
    try:
        with atomic_path(path) as part:  # an interrupted one would be half a picture
            PillowImage.fromarray(np.ascontiguousarray(pixels)).save(part, **SAVE[suffix], **extra)
    except (WriteError, ValueError) as error:  # the latter for a size that the format cannot hold
        why = error.reason if isinstance(error, WriteError) else reason(error)
        raise ToonifyError(
            f"{path} cannot be written: {why}; give another --out, or another format."
        ) from error
    return path


def copy_picture(source: Path, path: Path) -> Path:
    """Copy a picture file byte by byte. Nothing is overwritten.

    Returns:
        Where the copy is.

    Raises:
        ToonifyError: it cannot be written.
    """
    path = unused(path)
    try:
        with atomic_path(path) as part:
            shutil.copyfile(source, part)
    except WriteError as error:
        raise ToonifyError(
            f"{path} cannot be written: {error.reason}; give another --out."
        ) from error
    return path


def _others(folder: Path, pictures: Sequence[Path]) -> str:
    """A few names of the other files in a folder."""
    seen = set(pictures)
    names = sorted(
        entry.name
        for entry in folder.iterdir()
        if entry not in seen and not entry.name.startswith(".")
    )
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _is_promising(path: Path) -> bool:
    """Whether a file's content must be a picture: all but what merely ends in .gif."""
    if path.suffix.lower() not in GIF:
        return True
    try:
        with open_picture(path):
            return True
    except PictureError:
        return False


def run_image(
    sources: Sequence[Path], folder: Path, settings: Settings, say: Say, *, every_face: bool = False
) -> None:
    """Write the toon of every picture into `folder`.

    Args:
        every_face: all faces of a still picture become toons, whatever the settings say.

    Raises:
        ToonifyError: some of them could not be made; `say` was told why.
    """
    paths, failed = find_images(sources, say)
    if paths:
        check_folder(folder)  # before an engine is started for nothing
        with Toonifier(settings=settings, every_face=every_face, say=say) as toonify:
            failed += convert_images(paths, folder, toonify, say)
    if failed:
        what = "1 picture" if failed == 1 else f"{failed} pictures"
        raise ToonifyError(f"{what} could not be converted; the reasons are above.")


def run_video(
    source: Path, target: Path, settings: Settings, say: Say, *, stats: Path | None, force: bool
) -> None:
    """Write the toon of a video, with a progress bar.

    Args:
        stats: where the numbers of the run go as JSON.
        force: replace `target` if it exists.

    Raises:
        ToonifyError: it cannot be read, made or written.
    """
    from realtime.video import convert_video

    if stats:
        check_statistics(stats)
    with frame_progress() as bar:
        task = bar.add_task(source.name, total=None)
        numbers = convert_video(
            source, target, settings, say, force=force,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )  # fmt: skip
    if stats:
        write_statistics(stats, numbers)
    print_statistics(numbers)
    say(f"Wrote {target}.")


def find_images(sources: Sequence[Path], say: Say) -> tuple[list[Path], int]:
    """The pictures that were named or lie in named folders, and how many could not be found."""
    paths: list[Path] = []
    failed = 0
    for source in sources:
        try:
            if not source.exists():
                raise ToonifyError(f"There is no picture {source}; check the path.")
            pictures = [one for one in list_pictures(source, also=GIF) if _is_promising(one)]
            paths += pictures
            if source.is_dir() and (others := _others(source, pictures)):
                say(f"{source}: skipped what is no picture of a known kind: {others}.")
        except ToonifyError as error:
            say(str(error))
            failed += 1
    return paths, failed


def check_folder(folder: Path) -> None:
    """Check that results can be written into a folder, which need not be there yet.

    Raises:
        ToonifyError: they cannot.
    """
    try:
        check_writable(folder / "toon.png")
    except WriteError as error:
        raise ToonifyError(
            f"The folder {folder} for the results cannot be made: {error.reason}; give --out "
            f"another one."
        ) from error


def convert_images(paths: Sequence[Path], folder: Path, toonify: Toonifier, say: Say) -> int:
    """Write the toon of every picture into `folder`; returns how many could not be made."""
    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    with frame_progress() as bar:
        for path in bar.track(paths, description="Pictures"):
            try:
                say(_convert(path, folder, toonify, say))
            except (ToonifyError, OSError) as error:
                say(str(error))
                failed += 1
    return failed


def _convert(path: Path, folder: Path, toonify: Toonifier, say: Say) -> str:
    """Write the toon of one picture; returns the line for the user."""
    # Under a guard a file is not copied: it may hold more than its picture shows.
    copied = toonify.settings.guard_mode() == "pass"
    if animation := find_animation(path):
        found, frames = animated(animation, toonify)
        if not found and copied:
            written = copy_picture(path, folder / path.name)
            return f"{written}: no face found, left as it is"
        suffix = path.suffix.lower() if path.suffix.lower() in ANIMATED_SUFFIXES else ".png"
        written = unused((folder / path.name).with_suffix(suffix))
        write_animation(written, frames, animation.loop)
        return f"{written}: {counted(found, 'face')} in {counted(len(frames), 'frame')}"
    picture = read_picture(path)
    if picture.note:
        say(picture.note)
    toon = toonify.image(picture.bgr)
    if copied and not toon.faces and path.suffix.lower() in SAVE and not picture.note:
        written = copy_picture(path, folder / path.name)
        return f"{written}: no face found, left as it is"
    written = write_picture(picture, toon.image, folder / path.name)
    left = f", {toon.drawn} of them toons" if 0 < toon.drawn < toon.faces else ""
    return f"{written}: {counted(toon.faces, 'face') if toon.faces else 'no face found'}{left}"


def animated(animation: Animation, toonify: Toonifier) -> tuple[int, list[AnimationFrame]]:
    """The toons of an animated picture, and the most faces in one of its frames."""
    frames: list[AnimationFrame] = []
    found, now = 0, 0.0
    for frame in animation.frames():
        image = np.ascontiguousarray(frame.rgb[:, :, ::-1])
        if not frames:
            toonify.restart()
            for look in range(LOOKS):  # small faces are found one after the other
                toonify.frame(image, (look - LOOKS) * LOOK_SECONDS)
        toon = toonify.frame(image, now)
        now += frame.duration / 1000
        found = max(found, toon.faces)
        rgb = np.ascontiguousarray(toon.image[:, :, ::-1])
        frames.append(AnimationFrame(rgb, frame.alpha, frame.duration))
    return found, frames


def counted(number: int, what: str) -> str:
    """A number of things, as "1 face" or "2 faces"."""
    return f"{number} {what}{'' if number == 1 else 's'}"
