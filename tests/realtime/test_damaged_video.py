"""Videos that were cut off or are damaged: converted as far as they go, and said to be so."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from engines.pictures import Image
from realtime.frame import as_uint8
from realtime.session import Session
from realtime.settings import SourceSettings
from realtime.sources import SourceError, open_source
from realtime.sources.media import MediaSource
from realtime.video import convert_video
from tests.realtime.fakes import Messages
from tests.realtime.media import number_of, time_of, write_movie

COUNT = 60


def spoilt(film: Path, begin: float, end: float) -> Path:
    """A copy with noise from one share of its bytes to another."""
    content = bytearray(film.read_bytes())
    first, last = (int(share * len(content)) for share in (begin, end))
    noise = np.random.default_rng(0).integers(0, 256, last - first, np.uint8)
    content[first:last] = noise.tobytes()
    copy = film.with_name(f"spoilt{film.suffix}")
    copy.write_bytes(bytes(content))
    return copy


def convert(film: Path, target: Path, session: Session) -> tuple[list[int], Messages]:
    """The numbers of the pictures that were converted, and what was said."""
    said = Messages()
    convert_video(film, target, session.settings, said, session=session)
    return [number_of(picture) for picture, _ in pictures_of(target)], said


def pictures_of(film: Path) -> list[tuple[Image, float]]:
    """Pictures BGR with their times, seconds."""
    with av.open(str(film)) as container:
        return [
            (as_uint8(frame.to_ndarray(format="bgr24")), float(time_of(frame)))
            for frame in container.decode(video=0)
        ]


def sound_packets(film: Path) -> int:
    with av.open(str(film)) as container:
        return sum(packet.size > 0 for packet in container.demux(audio=0))


def test_a_decoder_that_fails_in_the_middle_goes_on_behind_it(
    tmp_path: Path, session: Session
) -> None:
    film = write_movie(tmp_path / "in.mp4", COUNT)
    bad = spoilt(film, 0.4, 0.6)
    with pytest.raises(SourceError, match=r"spoilt\.mp4 breaks off after \d+ frames: Invalid data"):
        list(MediaSource(str(bad), live=False, loop=False).frames())
    target = tmp_path / "out.mp4"
    numbers, said = convert(bad, target, session)
    lost = COUNT - len(numbers)
    assert 5 < lost < 30
    assert numbers[:20] == list(range(20))
    assert numbers[-10:] == list(range(COUNT - 10, COUNT))
    assert f"spoilt.mp4 is damaged: {lost} of its pictures cannot be decoded" in str(said)
    assert "out.mp4 holds what is there" in str(said)
    assert "cut off" not in str(said)
    # Those behind the gap keep their time, and the sound stays beside them.
    times = [time for _, time in pictures_of(target)]
    assert times == sorted(set(times))
    assert times[-10:] == pytest.approx([number / 25 for number in numbers[-10:]], abs=1e-3)
    assert sound_packets(target) == sound_packets(bad)


@pytest.mark.parametrize("loop", [False, True])
def test_a_film_as_the_camera_goes_on_behind_damage_too(loop: bool, tmp_path: Path) -> None:
    bad = spoilt(write_movie(tmp_path / "in.mp4", COUNT), 0.4, 0.6)
    said = Messages()
    source = open_source(SourceSettings(source=str(bad), loop=loop), said)
    passes: list[list[int]] = []
    for frame in source.frames():
        if frame.media_time == 0:
            passes.append([])
        passes[-1].append(number_of(frame.image))
        if len(passes) == 3:  # only a loop goes on for so long
            break
    assert len(passes) == (3 if loop else 1)
    whole = passes[0]
    lost = COUNT - len(whole)
    assert 5 < lost < 30
    assert whole[:20] == list(range(20))
    assert whole[-10:] == list(range(COUNT - 10, COUNT))
    assert said == [f"{bad} is damaged: {lost} of its pictures cannot be decoded."]


def test_a_tail_that_cannot_be_decoded_is_cut_off(tmp_path: Path, session: Session) -> None:
    film = write_movie(tmp_path / "in.mkv", COUNT, sound=None)
    numbers, said = convert(spoilt(film, 0.5, 0.95), tmp_path / "out.mp4", session)
    assert numbers[:15] == list(range(15))  # those at the edge may be half noise
    assert 15 < len(numbers) < 50
    assert "is cut off" in str(said)


def test_a_file_whose_end_is_missing_is_cut_off(tmp_path: Path, session: Session) -> None:
    film = write_movie(tmp_path / "in.mkv", COUNT)
    film.write_bytes(film.read_bytes()[: film.stat().st_size * 6 // 10])
    numbers, said = convert(film, tmp_path / "out.mp4", session)
    assert numbers == list(range(len(numbers)))
    assert 15 < len(numbers) < 50
    assert "in.mkv is cut off: its last 1." in str(said)
