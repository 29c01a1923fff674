"""Sound that is heard as late as the picture is seen."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from realtime.guard import Output
from realtime.sinks.microphone import (
    MARGIN,
    DelayedSound,
    Microphone,
    end_of,
    list_microphones,
)
from realtime.sinks.stream import WINDOW, StreamSink
from realtime.sinks.stream_writer import SOUND_RATE, SOUND_STEP
from tests.realtime.fakes import Messages
from tests.realtime.servers import wait_for

BLOCK = 480
EMPTY = np.zeros((2, 2, 3), np.uint8)


def ramp(begin: int, count: int = BLOCK) -> np.ndarray:
    """Samples that tell their numbers: 0 to 1 in ten seconds."""
    return np.tile(np.arange(begin, begin + count, dtype=np.float32) / (10 * SOUND_RATE), (2, 1))


def filled(seconds: float, clock: float = 1.0) -> DelayedSound:
    """Sound from 100 s on; `clock`: how fast the device's clock goes."""
    sound = DelayedSound()
    for block in range(int(seconds * SOUND_RATE / BLOCK)):
        sound.add(ramp(block * BLOCK), 100 + (block + 1) * BLOCK / SOUND_RATE / clock)
    return sound


def test_what_is_taken_was_heard_at_that_moment() -> None:
    sound = filled(4.0)
    part = sound.take(SOUND_STEP, 101.5)
    assert part.shape == (2, SOUND_STEP)
    assert part.dtype == np.float32
    assert part[0] == pytest.approx(ramp(int(1.5 * SOUND_RATE), SOUND_STEP)[0], abs=1e-5)
    again = sound.take(SOUND_STEP, 101.5 + SOUND_STEP / SOUND_RATE)
    assert np.diff(np.concatenate([part[0], again[0]])).max() < 1e-5  # without a gap


@pytest.mark.parametrize("error", [0.03, -0.03])
def test_small_errors_are_mended_without_a_jump(error: float) -> None:
    sound = filled(8.0)
    parts = [sound.take(SOUND_STEP, 101.0)]
    for number in range(1, 300):
        parts.append(sound.take(SOUND_STEP, 101.0 + error + number * SOUND_STEP / SOUND_RATE))
    steps = np.diff(np.concatenate([part[0] for part in parts])) * 10 * SOUND_RATE
    assert steps.min() > 0.9
    assert steps.max() < 1.1
    heard = 100 + parts[-1][0, 0] * 10
    assert heard == pytest.approx(101.0 + error + 299 * SOUND_STEP / SOUND_RATE, abs=0.003)


def test_large_errors_are_mended_at_once() -> None:
    sound = filled(4.0)
    sound.take(SOUND_STEP, 101.0)
    assert sound.take(SOUND_STEP, 102.0)[0, 0] * 10 == pytest.approx(2.0, abs=0.001)


def test_a_device_whose_clock_drifts_stays_in_time() -> None:
    sound = DelayedSound()
    worst = 0.0
    for block in range(6000):  # a minute of a clock that is wrong by a thousandth
        now = 100 + (block + 1) * BLOCK / SOUND_RATE / 1.001
        sound.add(np.full((2, BLOCK), now, np.float32), now)
        if block > 100 and block % 2 == 0:
            part = sound.take(2 * BLOCK, now - 0.2)
            worst = max(worst, abs(float(part[0, 0]) - (now - 0.2)))
    assert worst < 0.03


def test_the_sound_is_never_60_ms_from_its_picture() -> None:
    """A run of a minute on a clock of its own: 25 pictures and 47 packets of sound a second.

    Pictures are 0.2 s late, and 0.35 s from the middle on, give or take 15 ms; one in thirty is
    0.3 s later. The device hands over blocks of 10 ms up to 25 ms late, and its clock is wrong by
    300 millionths. The sound tells the moment at which it was heard.
    """
    random, rate = np.random.default_rng(0), 25
    sink = StreamSink("a.ts", "mpegts", (160, 120), rate, Messages(), audio="desk")
    sound = DelayedSound()
    sink._microphone = SimpleNamespace(sound=sound)  # type: ignore[assignment]
    sink._latencies = deque(maxlen=WINDOW)
    blocks = heard = 0
    errors = {}
    for number in range(60 * rate):
        now = 100 + number / rate
        while (came := 100 + (blocks + 1) * BLOCK / SOUND_RATE / 1.0003) <= now:
            sound.add(ramp(blocks * BLOCK), min(came + random.uniform(0, 0.025), now))
            blocks += 1
        usual = 0.2 if now < 130 else 0.35
        late = usual + random.uniform(-0.015, 0.015) + (0.3 if number % 30 == 7 else 0)
        sink._note_latency(Output(EMPTY, EMPTY[:, :, 0], "toon", captured=now - late), now)
        while heard * SOUND_STEP / SOUND_RATE <= (number + 1) / rate:
            moment = 100 + heard * SOUND_STEP / SOUND_RATE
            samples = sink._hear(moment)
            recorded = 100 + float(samples[0, 0]) * 10 / 1.0003
            errors[moment] = abs(recorded - (moment - usual))
            heard += 1
    settled = [error for at, error in errors.items() if 103 < at < 130 or at > 132]
    assert max(settled) < 0.06
    # Where the latency changes, the sound is off by the change at most, for two seconds.
    assert max(error for at, error in errors.items() if at > 103) < 0.15 + 0.06


def test_blocks_that_the_device_stamps_may_come_late_and_with_gaps() -> None:
    """Blocks of 10 ms tell when they were heard; 0.2 s of them are lost on the way."""
    sound = DelayedSound()
    for block in [*range(200), *range(220, 400)]:
        begin = block * BLOCK
        sound.add(ramp(begin), 100 + (begin + BLOCK) / SOUND_RATE, stamped=True)
    lost = sound.take(SOUND_STEP, 102.1)
    assert not lost.any()
    for heard in 101.5, 101.9, 102.3, 103.5:
        assert sound.take(SOUND_STEP, heard)[0, 0] * 10 == pytest.approx(heard - 100, abs=1e-3)


@pytest.mark.parametrize("stamped", [True, False])
def test_a_busy_machine_reads_blocks_late(stamped: bool) -> None:
    """What was heard 0.5 s ago, as blocks come in; each waits up to 80 ms before it is read."""
    random = np.random.default_rng(1)
    sound, errors = DelayedSound(), []
    for block in range(1000):
        heard = 100 + (block + 1) * BLOCK / SOUND_RATE
        waited = 0 if stamped else random.uniform(0, 0.08)
        sound.add(ramp(block * BLOCK), heard + waited, stamped=stamped)
        if block > 200:
            taken = sound.take(BLOCK, heard - 0.5)
            errors.append(abs(float(taken[0, 0]) * 10 - (heard - 100.5)))
    assert max(errors) < (0.001 if stamped else 0.03)


@pytest.mark.parametrize(
    ("stamp", "age"),
    [(-0.3, 0.3), (0.01, 0.0), (-3.0, None), (0.5, None), (-1e9, None), (None, None)],
    ids=["late", "rounded", "stepped", "future", "zero", "none"],
)
def test_the_stamp_of_a_block_counts_where_it_is_the_time_of_day(
    stamp: float | None, age: float | None
) -> None:
    """`stamp`: when the last sample was heard, in seconds from now on the system's clock."""
    frame = av.AudioFrame(format="flt", layout="mono", samples=BLOCK)
    frame.sample_rate, frame.time_base = SOUND_RATE, Fraction(1, 1_000_000)
    if stamp is not None:
        frame.pts = round((time.time() + stamp - BLOCK / SOUND_RATE) * 1e6)
    now = time.monotonic()
    heard, stamped = end_of(frame)
    assert stamped == (age is not None)
    assert heard == pytest.approx(now - (age or 0.0), abs=0.02)


def test_what_is_missing_is_silence() -> None:
    assert not DelayedSound().take(SOUND_STEP, 5.0).any()
    sound = filled(2.0)
    assert not sound.take(SOUND_STEP, 90.0).any()
    assert not sound.take(SOUND_STEP, 200.0).any()


def test_a_block_is_there_after_the_least_delay() -> None:
    assert filled(1.0).least_delay == pytest.approx(1.5 * BLOCK / SOUND_RATE + MARGIN)


def test_a_device_that_fails_is_told_of_and_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.sinks.microphone.PAUSE", 0.02)
    messages = Messages()
    attempts: list[str] = []

    def open_device(name: str) -> Any:
        attempts.append(name)
        if len(attempts) < 4:
            raise OSError(19, "No such device")
        return av.open("sine=frequency=440:sample_rate=44100,arealtime", format="lavfi")

    microphone = Microphone("desk", messages, open_device)
    wait_for(lambda: len(messages) == 2, "the microphone")
    microphone.close()
    assert messages[0].startswith("The microphone desk cannot be heard: No such device; the stream")
    assert messages[1] == "The microphone desk is back."


@pytest.mark.skipif(sys.platform != "linux", reason="needs ALSA, which there is on Linux")
def test_alsa_finds_the_settings_of_the_system(tmp_path: Path) -> None:
    """In a process of its own, because ALSA looks once."""
    (tmp_path / "alsa.conf").write_text("pcm.desk { type null }\n")
    program = (
        "import pathlib, sys; from realtime.sinks import microphone\n"
        "microphone.ALSA_SETTINGS = pathlib.Path(sys.argv[1])\n"
        "frame = next(microphone.open_microphone('desk').decode(audio=0))\n"
        "print(frame.sample_rate, microphone.end_of(frame)[1])"
    )
    clean = {name: value for name, value in os.environ.items() if name != "ALSA_CONFIG_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True, text=True, env=clean, check=False,
    )  # fmt: skip
    assert done.stdout == "48000 True\n", done.stderr


def test_microphones_can_be_listed_anywhere() -> None:
    assert all(name for name, _ in list_microphones())
