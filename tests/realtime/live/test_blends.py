"""Engines that were visited are kept, a bounded number of them."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.live.blends import Blend, Blends


class FakeEngine:
    def __init__(self, blend: Blend) -> None:
        self.blend = blend
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Workshop:
    """Builds engines, and remembers which."""

    def __init__(self, most: int) -> None:
        self.made: list[FakeEngine] = []
        first = Blend("film")
        self.blends = Blends(first, self.make(first), self.make, lambda engine: 10, most=most)

    def make(self, blend: Blend) -> Any:
        if blend.swap == 4:
            raise MemoryError
        self.made.append(FakeEngine(blend))
        return self.made[-1]

    @property
    def open(self) -> list[Blend]:
        return [engine.blend for engine in self.made if not engine.closed]


def test_going_back_builds_nothing() -> None:
    shop = Workshop(most=3)
    other = shop.blends.take(Blend("film", 16))
    assert shop.blends.take(Blend("film")) is shop.made[0]
    assert shop.blends.take(Blend("film", 16)) is other
    assert len(shop.made) == 2
    assert (shop.blends.count, shop.blends.memory) == (2, 20)
    assert shop.blends.ready(Blend("film"))
    assert not shop.blends.ready(Blend("comic"))


def test_the_one_unused_for_longest_is_closed_unless_it_is_in_use() -> None:
    shop = Workshop(most=2)
    for swap in (8, 16, 32):
        shop.blends.take(Blend("film", swap), keep=[Blend("film")])
    assert shop.open == [Blend("film"), Blend("film", 32)]
    shop.blends.take(Blend("film", 8))
    assert shop.open == [Blend("film", 32), Blend("film", 8)]


def test_one_that_cannot_be_built_changes_nothing() -> None:
    shop = Workshop(most=2)
    with pytest.raises(MemoryError):
        shop.blends.take(Blend("film", 4))
    assert shop.blends.count == 1
    assert shop.blends.take(Blend("film", 8)) is shop.made[1]


def test_closing_closes_all_even_one_that_is_ready_too_late() -> None:
    shop = Workshop(most=4)
    shop.blends.take(Blend("film", 8))
    shop.blends.close()
    shop.blends.take(Blend("film", 16))
    assert shop.open == []
    assert len(shop.made) == 3
