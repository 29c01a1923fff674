"""The JSON a benchmark writes: one versioned schema for every kind, read back with checks.

The schema is written out for readers in `benchmarks/README.md` ("The JSON file").
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast, get_args

from benchmarks.machine import describe
from benchmarks.statistics import Summary, pooled, summarise
from engines.errors import ToonifyError, reason
from engines.files import write_atomically

SCHEMA = "toonify-bench/1"
Kind = Literal["engines", "loop", "quality", "peers", "wire", "soak"]
Better = Literal["lower", "higher", "neither"]
Label = str | int | float | bool


class ReportError(ToonifyError):
    """A file is not a report that this version reads."""


@dataclass(frozen=True)
class Series:
    """Raw samples of one quantity, by round."""

    unit: str
    better: Better
    rounds: list[list[float]]

    @property
    def samples(self) -> list[float]:
        return pooled(self.rounds)

    @property
    def summary(self) -> Summary:
        return summarise(self.rounds)


@dataclass(frozen=True)
class Result:
    """One measured thing: `labels` say what it was, `metrics` are single numbers."""

    name: str
    labels: dict[str, Label]
    series: dict[str, Series] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Skipped:
    """Something that could not be measured, and why, in one sentence."""

    name: str
    reason: str


@dataclass(frozen=True)
class Aim:
    """What a metric should reach: `value` against `bound`."""

    text: str
    value: float
    bound: float
    better: Better

    @property
    def met(self) -> bool:
        return self.value <= self.bound if self.better == "lower" else self.value >= self.bound


@dataclass(frozen=True)
class Report:
    """Everything one benchmark run has to say."""

    kind: Kind
    settings: dict[str, Any]
    conditions: dict[str, Any]
    results: list[Result]
    skipped: list[Skipped] = field(default_factory=list)
    aims: list[Aim] = field(default_factory=list)
    ceilings: list[dict[str, Any]] = field(default_factory=list)
    machine: dict[str, Any] = field(default_factory=describe)
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    command: str = field(default_factory=lambda: _command())

    @property
    def complaints(self) -> list[str]:
        """Why the samples should not be trusted; empty when they may be."""
        return list(self.conditions.get("complaints", []))

    def result(self, name: str) -> Result | None:
        return next((result for result in self.results if result.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; summaries are added for readers, and ignored when reading back."""
        record = {"schema": SCHEMA, **asdict(self)}
        for result, written in zip(self.results, record["results"], strict=True):
            for name, series in result.series.items():
                written["series"][name]["summary"] = asdict(series.summary)
        for aim, written in zip(self.aims, record["aims"], strict=True):
            written["met"] = aim.met
        return record

    def save(self, path: Path) -> None:
        """Write the JSON file, whole or not at all.

        Raises:
            WriteError: when it cannot be written.
        """
        text = json.dumps(_short(self.to_dict()), indent=1, allow_nan=False) + "\n"
        write_atomically(path, text.encode())

    @classmethod
    def load(cls, path: Path) -> Report:
        """Read and check a report.

        Raises:
            ReportError: when it cannot be read, or is not a report of this schema.
        """
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ReportError(f"Cannot read the report {path}: {reason(error)}.") from error
        except ValueError as error:
            raise ReportError(f"{path} is not JSON ({error}); expected a saved report.") from error
        try:
            return cls.from_dict(record)
        except ReportError as error:
            raise ReportError(f"{path}: {error}") from error

    @classmethod
    def from_dict(cls, record: Any) -> Report:
        """The inverse of `to_dict`.

        Raises:
            ReportError: naming the first thing that the schema does not allow.
        """
        top = _Reader(record, "report")
        if (found := top.get("schema", str)) != SCHEMA:
            raise ReportError(
                f"expected schema {SCHEMA!r}, found {found!r}; use a matching version."
            )
        kind = top.get("kind", str)
        if kind not in get_args(Kind):
            raise ReportError(f"report.kind must be one of {get_args(Kind)}, found {kind!r}.")
        return cls(
            kind=cast(Kind, kind),
            settings=top.get("settings", dict),
            conditions=top.get("conditions", dict),
            results=[_result(each) for each in top.each("results")],
            skipped=[
                Skipped(each.get("name", str), each.get("reason", str))
                for each in top.each("skipped")
            ],
            aims=[
                Aim(
                    each.get("text", str), each.number("value"), each.number("bound"), each.better()
                )
                for each in top.each("aims")
            ],
            ceilings=[each.record for each in top.each("ceilings")],
            machine=top.get("machine", dict),
            created=top.get("created", str),
            command=top.get("command", str),
        )


def _result(reader: _Reader) -> Result:
    labels = reader.get("labels", dict)
    for name, value in labels.items():
        if not isinstance(value, (str, int, float, bool)):
            raise ReportError(f"{reader.where}.labels.{name} must be text or a number.")
    metrics = _Reader(reader.get("metrics", dict), f"{reader.where}.metrics")
    series = {
        name: _series(_Reader(one, f"{reader.where}.series.{name}"))
        for name, one in reader.get("series", dict).items()
    }
    return Result(
        name=reader.get("name", str),
        labels=labels,
        series=series,
        metrics={name: metrics.number(name) for name in metrics.record},
    )


def _series(reader: _Reader) -> Series:
    rounds = reader.get("rounds", list)
    for one in rounds:
        if not isinstance(one, list) or not one or not all(_finite(value) for value in one):
            raise ReportError(
                f"{reader.where}.rounds must hold non-empty lists of finite numbers, found {one!r}."
            )
    if not rounds:
        raise ReportError(f"{reader.where}.rounds is empty.")
    return Series(reader.get("unit", str), reader.better(), rounds)


class _Reader:
    """A JSON object with the path that leads to it, for messages."""

    def __init__(self, record: Any, where: str) -> None:
        if not isinstance(record, dict):
            raise ReportError(f"{where} must be an object, found {type(record).__name__}.")
        self.record: dict[str, Any] = record
        self.where = where

    def get(self, key: str, kind: type) -> Any:
        value = self.record.get(key)
        if not isinstance(value, kind):
            raise ReportError(
                f"{self.where}.{key} must be of type {kind.__name__}, found {value!r:.60}."
            )
        return value

    def number(self, key: str) -> float:
        value = self.record.get(key)
        if not _finite(value):
            raise ReportError(f"{self.where}.{key} must be a finite number, found {value!r:.60}.")
        return float(cast(float, value))

    def better(self) -> Better:
        value = self.record.get("better")
        if value not in get_args(Better):
            raise ReportError(
                f"{self.where}.better must be one of {get_args(Better)}, found {value!r:.60}."
            )
        return cast(Better, value)

    def each(self, key: str) -> list[_Reader]:
        items: Sequence[Any] = self.get(key, list)
        return [_Reader(item, f"{self.where}.{key}[{i}]") for i, item in enumerate(items)]


def _finite(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _short(value: Any) -> Any:
    """Floats with six significant digits: raw samples stay readable and small."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {key: _short(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_short(item) for item in value]
    return value


def _command() -> str:
    """The command line, without the user's folders."""
    words = [Path(word).name if Path(word).is_absolute() else word for word in sys.argv]
    if Path(sys.argv[0]).name == "__main__.py":
        return " ".join(["python -m benchmarks", *words[1:]])
    return " ".join(words)
