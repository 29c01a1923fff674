"""Tables on the screen and in Markdown."""

from __future__ import annotations

from rich.console import Console

from benchmarks.compare import compare
from benchmarks.render import markdown, print_comparison, print_report
from tests.benchmarks.factory import people, report


def test_tables_hold_the_numbers() -> None:
    shown = Console(width=160)
    with shown.capture() as captured:
        print_report(report(conditions={"complaints": ["Too hot."]}), shown)
    text = captured.get()
    for word in ("shipped openvino b1", "No GPU.", "Too hot.", "met", "matmul GMAC/s"):
        assert word in text
    posted = markdown(report())
    assert "| shipped openvino b1 |" in posted
    assert posted.startswith("`python -m benchmarks engines`")


def test_a_comparison_is_drawn() -> None:
    screen = Console(width=140)
    with screen.capture() as captured:
        print_comparison(compare(report(), report()), screen)
    assert "same" in captured.get()
    with screen.capture() as captured:
        print_comparison(
            compare(people({"flicker": [0.2] * 9}), people({"flicker": [0.3] * 8})), screen
        )
    text = captured.get()
    assert "+0.100" in text
    assert "Not compared: flicker of p8: Answered only in the first report" in text
