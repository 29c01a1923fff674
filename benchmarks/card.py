"""From a quality report to the figures of a model card, so that they are not copied by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.report import Report
from engines.bundle import Bundle
from engines.errors import ToonifyError, UsageError


def card_metrics(report: Report) -> dict[str, str]:
    """What a quality report says, as heading -> text for `engines.card.Card.metrics`.

    Raises:
        ToonifyError: when the report is of another kind.
    """
    if report.kind != "quality":
        raise ToonifyError(
            f"A quality report was expected, but this one is about {report.kind}; make one with "
            f"'toonify bench quality --json FILE'."
        )
    machine = report.machine
    figures = {
        "how": f"{report.command}; {machine.get('cpu') or 'unknown processor'}, "
        f"{report.settings.get('engine_used', 'unknown engine')}"
    }
    for result in report.results:
        numbers = result.metrics
        text = f"{numbers['mean']:.2f}"
        if (count := int(numbers["count"])) > 1:
            text += f" mean, {numbers['worst']:.2f} worst of {count}"
        figures[f"{result.name} ({result.labels['unit']})"] = text
    for aim in report.aims:
        bound = f"at {'most' if aim.better == 'lower' else 'least'} {aim.bound:g}"
        figures[f"aim: {aim.text}"] = f"{aim.value:.2f}, {bound}: {'met' if aim.met else 'missed'}"
    for skipped in report.skipped:
        figures[f"not measured: {skipped.name}"] = skipped.reason
    return figures


def measured(bundle: Bundle, report: Report) -> Bundle:
    """`bundle` with the report's figures in its card.

    Raises:
        ToonifyError: when the report is of another kind, or of a model of another name.
    """
    figures = card_metrics(report)
    if (name := Path(str(report.settings.get("bundle"))).stem) != bundle.card.name:
        raise ToonifyError(
            f"The report is about the model {name!r}, but this is {bundle.card.name!r}; measure "
            f"this one."
        )
    return replace(bundle, card=replace(bundle.card, metrics=figures))


def write_figures(report: Path, model: Path) -> None:
    """Write a quality report's figures into the card of the measured model.

    Raises:
        UsageError: there is no model at that path.
        ToonifyError: as `measured`, or one of the two cannot be read or written.
    """
    if not model.exists():
        raise UsageError(
            f"There is no model at {model}; give the measured model's folder or .toon file, not a "
            "name."
        )
    measured(Bundle.load(model), Report.load(report)).save(model)
