from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.backends.protocol import BackendError, EngineOutput
from engines.backends.swapping import SwappingEngine
from engines.networks.toon import ToonNetwork
from tests.engines.factory import tiny_network

CROP = np.zeros((1, 64, 64, 3), np.uint8)


class ConstantProgram:
    """A program at the compiler's edge: every picture is one value."""

    device, precision = "test", "fp32"

    def __init__(self, value: int) -> None:
        self.value, self.closed = value, False

    def run(self, crops: NDArray[np.uint8]) -> EngineOutput:
        assert not self.closed
        return EngineOutput(np.full((len(crops), 64, 64, 3), self.value, np.uint8), None)

    def close(self) -> None:
        assert not self.closed
        self.closed = True


class Compiler:
    """Builds program 0 at once, and each later one when the test opens its gate."""

    def __init__(self) -> None:
        self.programs: list[ConstantProgram] = []
        self.networks: list[ToonNetwork] = []
        self.started = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)
        self.error: Exception | None = None

    def __call__(self, network: ToonNetwork) -> ConstantProgram:
        self.networks.append(network)
        if self.programs:
            self.started.release()
            assert self.gate.acquire(timeout=10)
            if self.error is not None:
                raise self.error
        self.programs.append(ConstantProgram(len(self.programs)))
        return self.programs[-1]


@pytest.fixture
def compiler() -> Compiler:
    return Compiler()


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def engine(tiny: ToonNetwork, compiler: Compiler, lines: list[str]) -> SwappingEngine:
    return SwappingEngine("test", tiny, compiler, 2, lines.append)


def shown(engine: SwappingEngine) -> int:
    return int(engine.run(CROP).images[0, 0, 0, 0])


def test_runs_on_while_the_next_one_is_built(
    engine: SwappingEngine, compiler: Compiler, other_tiny: ToonNetwork
) -> None:
    engine.update(other_tiny)
    assert compiler.started.acquire(timeout=10)
    assert [shown(engine) for _ in range(5)] == [0] * 5
    assert not engine.settle(0)
    compiler.gate.release()
    assert engine.settle(10)
    assert shown(engine) == 1
    assert [program.closed for program in compiler.programs] == [True, False]


def test_every_frame_through_a_swap_is_whole(
    engine: SwappingEngine, compiler: Compiler, other_tiny: ToonNetwork
) -> None:
    seen: list[int] = []
    done = threading.Event()

    def frames() -> None:
        while not done.is_set():
            seen.append(shown(engine))

    thread = threading.Thread(target=frames)
    thread.start()
    for _ in range(20):
        engine.update(other_tiny)
        compiler.gate.release()
        assert engine.settle(10)
    done.set()
    thread.join()
    assert seen == sorted(seen)
    assert shown(engine) == 20


def test_of_several_waiting_updates_the_last_wins(
    engine: SwappingEngine, compiler: Compiler, other_tiny: ToonNetwork
) -> None:
    networks = [other_tiny, tiny_network(seed=2), tiny_network(seed=3)]
    for network in networks:
        engine.update(network)
        if network is other_tiny:
            assert compiler.started.acquire(timeout=10)
    compiler.gate.release(2)
    assert engine.settle(10)
    assert compiler.networks[1:] == [networks[0], networks[2]]


@pytest.mark.parametrize("error", [BackendError("no space"), RuntimeError("boom\nand more")])
def test_failed_build_keeps_the_old_one_and_says_so(
    engine: SwappingEngine,
    compiler: Compiler,
    lines: list[str],
    other_tiny: ToonNetwork,
    error: Exception,
) -> None:
    compiler.error = error
    engine.update(other_tiny)
    compiler.gate.release()
    assert engine.settle(10)
    assert shown(engine) == 0
    reason = "no space" if isinstance(error, BackendError) else "RuntimeError: boom and more"
    assert lines == [f"test: the new style could not be built, the old one stays: {reason}"]


def test_update_of_another_architecture_is_refused(engine: SwappingEngine) -> None:
    with pytest.raises(BackendError, match=r"its own architecture, but .* is .* where the running"):
        engine.update(tiny_network(resolution=128))
    assert shown(engine) == 0


def test_closing_while_building_leaves_nothing_open(
    engine: SwappingEngine, compiler: Compiler, other_tiny: ToonNetwork
) -> None:
    engine.update(other_tiny)
    assert compiler.started.acquire(timeout=10)
    engine.close()
    compiler.gate.release()
    assert engine.settle(10)
    assert [program.closed for program in compiler.programs] == [True, True]
    uses: list[Callable[[], object]] = [
        lambda: engine.run(CROP),
        lambda: engine.update(other_tiny),
    ]
    for use in uses:
        with pytest.raises(BackendError, match="was closed"):
            use()
    engine.close()


def test_closing_just_before_the_swap_leaves_nothing_open(
    engine: SwappingEngine,
    compiler: Compiler,
    other_tiny: ToonNetwork,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    swap = engine._swap

    def late(program: ConstantProgram | None) -> None:
        if program is not None:
            engine.close()
        swap(program)

    monkeypatch.setattr(engine, "_swap", late)
    engine.update(other_tiny)
    compiler.gate.release()
    assert engine.settle(10)
    assert [program.closed for program in compiler.programs] == [True, True]
    with pytest.raises(BackendError, match="was closed"):
        engine.run(CROP)


@pytest.mark.parametrize(
    ("crops", "message"),
    [
        (
            np.zeros((1, 32, 32, 3), np.uint8),
            r"uint8 crops \[N, 64, 64, 3\].*\[1, 32, 32, 3\]",
        ),
        (np.zeros((1, 64, 64, 3), np.float32), "float32"),
        (np.zeros((64, 64, 3), np.uint8), r"\[64, 64, 3\]"),
        (np.zeros((0, 64, 64, 3), np.uint8), "1 to 2 crops at once, but was given 0"),
        (np.zeros((3, 64, 64, 3), np.uint8), "1 to 2 crops at once, but was given 3"),
    ],
)
def test_wrong_crops_are_refused(
    engine: SwappingEngine, crops: NDArray[np.uint8], message: str
) -> None:
    with pytest.raises(BackendError, match=message):
        engine.run(crops)
