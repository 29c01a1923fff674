"""Peers: our networks beside published ones, taking turns, and the loop without any toon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from benchmarks.compare import TOLERANCE_TOGETHER, change
from benchmarks.conditions import Monitor
from benchmarks.peers.animegan import AnimeNetwork
from benchmarks.peers.first_release import first_release
from benchmarks.peers.mobile_stylegan import MobileStyleNetwork
from benchmarks.peers.textbook import textbook
from benchmarks.report import Aim, Report, Result, Skipped
from benchmarks.roofline import measure_ceilings, with_share
from benchmarks.runners import Runner, build_runner, time_batch
from benchmarks.tiers import TIERS, Tier
from benchmarks.timing import Budget
from engines.backends import BACKENDS
from engines.errors import ToonifyError
from engines.say import Say


@dataclass(frozen=True)
class PeerSettings:
    """What to put side by side, all at batch 1.

    Attributes:
        floor_seconds: seconds of the loops with and without toons; 0 leaves them out.
    """

    tiers: Sequence[Tier]
    engines: Sequence[str] = tuple(BACKENDS)
    budget: Budget = field(default_factory=Budget)
    anime_size: int = 256
    mobile_sizes: Sequence[int] = (256, 1024)
    floor_seconds: float = 10.0

    @classmethod
    def quick(cls) -> PeerSettings:
        """Under a minute: the shipped model beside the smaller designs."""
        return cls(
            (TIERS["shipped"],), budget=Budget.quick(), mobile_sizes=(256,), floor_seconds=3.0
        )

    def record(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "tiers": {tier.name: tier.about for tier in self.tiers},
            "engines": list(self.engines),
            "anime_size": self.anime_size,
            "mobile_sizes": list(self.mobile_sizes),
            "budget": asdict(self.budget),
            "floor_seconds": self.floor_seconds,
        }


def run(settings: PeerSettings, say: Say) -> Report:
    """Builds everything first, then times all of it in turns."""
    monitor = Monitor()
    skipped: list[Skipped] = []
    runners = _build_all(settings, skipped, say)
    say(f"{len(runners)} networks taking turns")
    results = time_batch(runners, 1, settings.budget, monitor, skipped)
    for runner in runners:
        runner.engine.close()
    _add_ratios(results)
    ceilings = measure_ceilings(results, say)
    results = [with_share(result, ceilings) for result in results]
    if settings.floor_seconds:
        results += _loops(settings.floor_seconds, monitor, skipped, say)
    return Report(
        kind="peers",
        settings=settings.record(),
        conditions=monitor.finish().record(),
        results=results,
        skipped=skipped,
        aims=_aims(results),
        ceilings=[ceiling.record() for ceiling in ceilings],
    )


def _build_all(settings: PeerSettings, skipped: list[Skipped], say: Say) -> list[Runner]:
    runners: list[Runner] = []

    def add(name: str, network: Any, engine: str, precision: str | None = None) -> None:
        what = f"{name} {engine}"
        say(f"building {what}")
        try:
            runners.append(build_runner(name, network, engine, precision, 1))
        except ToonifyError as error:
            skipped.append(Skipped(what, str(error)))

    for tier in settings.tiers:
        try:
            network = tier.build()
        except ToonifyError as error:
            skipped.append(Skipped(tier.name, str(error)))
            continue
        for engine in settings.engines:
            add(f"ours {tier.name}", network, engine)
        # eager, as published; in half precision too where the device is made for it
        for precision in ("fp32", "fp16") if torch.cuda.is_available() else ("fp32",):
            add(f"textbook {tier.name}", textbook(network), "torch", precision)
    others: list[tuple[str, Any]] = [
        ("first release", first_release()),
        (f"AnimeGANv2-size {settings.anime_size}", AnimeNetwork(settings.anime_size)),
        *((f"MobileStyleGAN-size {side}", MobileStyleNetwork(side))
          for side in settings.mobile_sizes),
    ]  # fmt: skip
    for name, network in others:
        for engine in settings.engines:
            add(name, network, engine)
    return runners


def _add_ratios(results: Sequence[Result]) -> None:
    """How many times as long as ours each peer takes, with the interval, from paired rounds.

    The textbook form is held against our fastest engine of the same tier; other networks against
    our first tier on the same engine.
    """
    ours = [result for result in results if str(result.labels["tier"]).startswith("ours ")]
    for result in results:
        kind, _, tier = str(result.labels["tier"]).partition(" ")
        if kind == "ours":
            continue
        if kind == "textbook":
            rivals = [o for o in ours if o.labels["tier"] == f"ours {tier}"]
        else:
            rivals = [o for o in ours if o.labels["engine"] == result.labels["engine"]][:1]
        if rivals:
            rival = min(rivals, key=lambda o: o.series["latency"].summary.median.value)
            _add_ratio(result, rival)


def _add_ratio(result: Result, rival: Result) -> None:
    found = change(
        result.name,
        "latency",
        rival.series["latency"],
        result.series["latency"],
        paired=True,
        tolerance=TOLERANCE_TOGETHER,
    ).estimate
    result.labels["against"] = rival.name
    result.metrics["times_ours"] = found.value
    if found.low is not None and found.high is not None:
        result.metrics["times_ours_low"] = found.low
        result.metrics["times_ours_high"] = found.high


def _loops(seconds: float, monitor: Monitor, skipped: list[Skipped], say: Say) -> list[Result]:
    """The unpaced loop at 1280x720 with one face: with toons, and with MediaPipe alone."""
    from benchmarks.suites.loop import LoopSettings, open_session, run_rates

    rounds = 3
    results = []
    for toons in (True, False):
        settings = LoopSettings(
            sizes=((1280, 720),), faces=(1,), rates=(0.0,), seconds=seconds / rounds,
            rounds=rounds, toons=toons,
        )  # fmt: skip
        name = "loop with toons" if toons else "loop with MediaPipe alone"
        try:
            with open_session(settings, 1) as session:
                found = run_rates(settings, session, (1280, 720), 1, monitor, say)
        except ToonifyError as error:
            skipped.append(Skipped(name, str(error)))
            continue
        results += [Result(name, r.labels, r.series, r.metrics) for r in found]
    return results


def _aims(results: Sequence[Result]) -> list[Aim]:
    """On a GPU the published forward pass should take at least three times as long as ours."""
    return [
        Aim(f"{result.name} over {result.labels['against']}", value, 3.0, "higher")
        for result in results
        if str(result.labels.get("tier", "")).startswith("textbook")
        and result.labels["kind"] == "cuda"
        and (value := result.metrics.get("times_ours"))
    ]
