"""Engines: every back end that runs here, by tier, precision and batch, under measured ceilings."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.conditions import Monitor
from benchmarks.report import Report, Result, Skipped
from benchmarks.roofline import measure_ceilings, with_share
from benchmarks.runners import Runner, build_runner, time_batch
from benchmarks.suites.callers import time_callers
from benchmarks.tiers import TIERS, Tier
from benchmarks.timing import Budget
from engines.backends import BACKENDS
from engines.backends.registry import BY_NAME
from engines.errors import ToonifyError
from engines.networks.toon import ToonNetwork
from engines.options import PRECISIONS
from engines.say import Say


@dataclass(frozen=True)
class EngineSettings:
    """What to time. `precisions` None lets every back end choose its own.

    calibration: folder of portraits that int8 is calibrated on; None for those in the package.
    callers: how many share a remote engine at once.
    """

    tiers: Sequence[Tier]
    batches: Sequence[int] = (1, 2, 4, 8, 16)
    engines: Sequence[str] = tuple(BACKENDS)
    precisions: Sequence[str | None] = PRECISIONS
    budget: Budget = field(default_factory=Budget)
    calibration: Path | None = None
    callers: Sequence[int] = (1, 2, 4, 8, 16)

    @classmethod
    def quick(cls) -> EngineSettings:
        """Under a minute: the shipped model, as every back end likes it best."""
        return cls((TIERS["shipped"],), (1, 4), precisions=(None,), budget=Budget.quick())

    @property
    def remote(self) -> list[str]:
        """Those of the engines that run on a server."""
        return [name for name in self.engines if name.partition(":")[0] in BY_NAME]

    def record(self) -> dict[str, Any]:
        """JSON-ready, without the paths of whoever ran it."""
        own = {"calibration": self.calibration.name} if self.calibration else {}
        return {
            **own,
            "tiers": {tier.name: tier.about for tier in self.tiers},
            "batches": list(self.batches),
            # A server's address is its owner's business.
            "engines": [n.partition(":")[0] if n in self.remote else n for n in self.engines],
            **({"callers": list(self.callers)} if self.remote else {}),
            "precisions": list(self.precisions),
            "budget": asdict(self.budget),
        }


def run(
    settings: EngineSettings,
    say: Say,
    ready: Callable[[], None] = lambda: None,
    *,
    only_cuda: bool = False,
) -> Report:
    """Time everything in `settings`.

    Args:
        settings: what to time.
        say: takes one line on what is going on.
        ready: called before each group of measurements.
        only_cuda: skip what does not run on the GPU.
    """
    monitor = Monitor()
    results: list[Result] = []
    skipped: list[Skipped] = []
    for tier in settings.tiers:
        try:
            network = tier.build()
        except ToonifyError as error:
            skipped.append(Skipped(tier.name, str(error)))
            continue
        runners = _build(tier.name, network, settings, skipped, say)
        if only_cuda:
            runners = _those_on_cuda(runners, skipped)
        for name in settings.remote:
            results += time_callers(
                tier.name,
                network,
                name,
                settings.callers,
                settings.budget,
                monitor,
                skipped,
                say,
                ready,
            )
        for batch in settings.batches if runners else ():
            say(f"{tier.name}: batch {batch}, {len(runners)} engines taking turns")
            ready()
            results += time_batch(runners, batch, settings.budget, monitor, skipped)
        for runner in runners:
            runner.engine.close()
        del runners, network
        gc.collect()
    ceilings = measure_ceilings(results, say)
    return Report(
        kind="engines",
        settings=settings.record(),
        conditions=monitor.finish().record(),
        results=[with_share(result, ceilings) for result in results],
        skipped=skipped,
        ceilings=[ceiling.record() for ceiling in ceilings],
    )


def _build(
    tier: str, network: ToonNetwork, settings: EngineSettings, skipped: list[Skipped], say: Say
) -> list[Runner]:
    """One runner per back end and precision that runs here."""
    runners: list[Runner] = []
    for name in (name for name in settings.engines if name not in settings.remote):
        for precision in settings.precisions:
            what = " ".join(filter(None, (tier, name, precision)))
            say(f"building {what}")
            try:
                made = build_runner(
                    tier,
                    network,
                    name,
                    precision,
                    max(settings.batches),
                    calibration=settings.calibration,
                )
            except ToonifyError as error:
                skipped.append(Skipped(what, str(error)))
                continue
            if made.label in [runner.label for runner in runners]:
                made.engine.close()
                skipped.append(Skipped(what, f"It runs as {made.engine.precision}, timed already."))
                continue
            runners.append(made)
    return runners


def _those_on_cuda(runners: Sequence[Runner], skipped: list[Skipped]) -> list[Runner]:
    """Closes the others: processes that share the processor would time one another."""
    for runner in runners:
        if not runner.on_cuda:
            runner.engine.close()
            skipped.append(Skipped(runner.label, "It does not run on the GPU."))
    return [runner for runner in runners if runner.on_cuda]
