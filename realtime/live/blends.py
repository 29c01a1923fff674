"""Engines of several styles and swaps: those visited are kept, so that going back is at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import NamedTuple

from engines.backends import Engine
from realtime.settings import Low


class Blend(NamedTuple):
    """What an engine draws.

    Attributes:
        style: one of the model's.
        swap, low: see `realtime.settings.EngineSettings`; None for the style's own.
    """

    style: str
    swap: int | None = None
    low: Low | None = None

    def __str__(self) -> str:
        swap = "" if self.swap is None else f", swap at {self.swap}"
        low = "" if self.low is None else f", {self.low} below"
        return f"{self.style}{swap}{low}"


class Blends:
    """A bounded collection of engines. Closing it closes them all.

    Args:
        first, engine: what runs already.
        make: builds an engine; may take long. Called by one thread at a time.
        weigh: bytes that an engine's weights take.
        most: engines kept at most. The one unused for longest is closed when there are more; what
            `keep` names stays.
    """

    def __init__(
        self,
        first: Blend,
        engine: Engine,
        make: Callable[[Blend], Engine],
        weigh: Callable[[Engine], int],
        *,
        most: int = 6,
    ) -> None:
        self.most = most
        self._engines = {first: engine}  # the one used last stands last
        self._make = make
        self._weigh = weigh
        self._building = threading.Lock()
        self._changing = threading.Lock()
        self._closed = False

    @property
    def count(self) -> int:
        """Engines that are ready."""
        return len(self._engines)

    @property
    def memory(self) -> int:
        """Bytes that the weights of all these take."""
        return sum(self._weigh(engine) for engine in list(self._engines.values()))

    def ready(self, blend: Blend) -> bool:
        """Whether `take` would return at once."""
        return blend in self._engines

    def take(self, blend: Blend, keep: Collection[Blend] = ()) -> Engine:
        """The engine of a blend, built if need be. Frames go on meanwhile with another one.

        Args:
            keep: blends in use, whose engines must not be closed.

        Raises:
            ToonifyError: it cannot be built.
        """
        if (engine := self._reuse(blend)) is not None:
            return engine
        with self._building:
            if (engine := self._reuse(blend)) is not None:
                return engine
            engine = self._make(blend)
            with self._changing:
                self._engines[blend] = engine
                idle = [other for other in self._engines if other not in (blend, *keep)]
                surplus = idle[: max(len(self._engines) - self.most, 0)]
                closing = [self._engines.pop(other) for other in surplus]
                if self._closed:
                    closing = [engine]
        for unused in closing:
            unused.close()
        return engine

    def close(self) -> None:
        """Close every engine, also one that is being built now."""
        with self._changing:
            self._closed = True
            engines = list(self._engines.values())
        for engine in engines:
            engine.close()

    def _reuse(self, blend: Blend) -> Engine | None:
        with self._changing:
            engine = self._engines.pop(blend, None)
            if engine is not None:
                self._engines[blend] = engine
            return engine
