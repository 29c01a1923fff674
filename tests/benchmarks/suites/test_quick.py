"""`toonify bench` without a suite: what is run, what is left out, and the block to post."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.report import Report, Result, Series
from benchmarks.suites import quick
from engines.errors import ToonifyError
from tests.benchmarks.factory import loop, report


def failing(say: object) -> Report:
    raise ToonifyError("There is no model; install one.")


def busy(say: object) -> Report:
    return report(conditions={"complaints": ["Other programs used 40%."]})


def wire(say: object) -> Report:
    cost = Series("ms", "lower", [[1.25] * 8] * 3)
    metrics = {"sent_kb": 196.6, "returned_kb": 210.0, "difference": 0.0}
    return report(kind="wire", results=[Result("raw", {}, {"latency": cost}, metrics)])


@pytest.fixture
def suites(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts fakes in the place of all suites."""

    def replace(**fakes: Any) -> None:
        monkeypatch.setattr(quick, "SUITES", fakes)

    return replace


def test_the_block_holds_machine_versions_and_medians(
    suites: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    suites(engines=lambda say: report(), loop=lambda say: loop([33.0], [20.0]), wire=wire)
    for words in ([], ["--quick"]):
        assert main(words) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith("**`toonify bench`, the quick version** (toonify-live ")
        assert lines[2].startswith("A CPU, 2 cores; ")
        assert "torch 2; commit abc" in lines[2]
        assert "| engines | median ms | p95 ms | images/s |" in lines
        assert any(line.startswith("| shipped openvino b1 | 20.") for line in lines)
        assert "| loop | p50 ms |" in lines
        assert "| 1 face 30 fps | 20 |" in lines
        assert "| wire | kB sent | kB back | median ms |" in lines
        assert "| raw | 197 | 210 | 1.25 |" in lines


def test_what_failed_or_cannot_be_trusted_is_left_out_with_its_reason(
    suites: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    suites(engines=busy, loop=failing, wire=wire)
    assert main([]) == 0
    out = capsys.readouterr().out
    assert "| raw |" in out
    assert "shipped" not in out
    assert "\nWithout engines: Other programs used 40%. (--noisy-ok keeps it.)\n" in out
    assert out.endswith("Without loop: There is no model; install one.\n")
    assert main(["--noisy-ok"]) == 0
    out = capsys.readouterr().out
    assert "> **Do not trust engines:** Other programs used 40%.\n\n| engines |" in out


def test_no_block_of_nothing(suites: Callable[..., None]) -> None:
    suites(engines=busy, loop=failing)
    with pytest.raises(
        ToonifyError, match=r"engines: Other.* keeps it\.\) loop: There is no model"
    ):
        quick.run(lambda line: None, noisy_ok=False)
    suites(loop=failing)
    with pytest.raises(ToonifyError, match="There is no model; install one"):
        quick.run(lambda line: None, noisy_ok=True)


def test_every_suite_is_asked_for_its_quick_version(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    for name in quick.SUITES:
        module = f"benchmarks.suites.{name}.run"
        monkeypatch.setattr(
            module, lambda *given, name=name: asked.update({name: given[:-1]}) or report()
        )
    assert len(quick.run(lambda line: None, noisy_ok=False).reports) == len(quick.SUITES)
    assert [tier.name for tier in asked["engines"][0].tiers] == ["shipped"]
    assert asked["engines"][0].budget == asked["peers"][0].budget
    assert asked["loop"][0].sizes == ((1280, 720),)
    assert asked["wire"] == (3,)


@pytest.mark.parametrize("option", ["--quick", "--noisy-ok"])
def test_an_option_before_a_suite_is_not_lost(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([option, "loop"]) == 2
    assert f"Write {option} behind loop, not before it." in capsys.readouterr().err
