"""One process per GPU, all at once, and what they reach together."""

from __future__ import annotations

import multiprocessing
import os
import queue
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.machine import gpus
from benchmarks.report import Report, Result, Skipped
from benchmarks.suites.engines import EngineSettings, run
from engines.errors import ToonifyError
from engines.say import Say

PATIENCE = 1800.0
"""Seconds to wait for an answer, as a GPU may still be building its engines."""


def run_on_gpus(settings: EngineSettings, which: str, say: Say) -> Report:
    """The engine benchmark on several GPUs at once.

    Args:
        settings: what to time.
        which: "all", or numbers separated by commas.
        say: takes one line on what is going on.

    Raises:
        ToonifyError: when there is no such GPU, or a process fails.
    """
    present = len(gpus())
    chosen = list(range(present)) if which == "all" else _numbers(which)
    missing = [index for index in chosen if index >= present]
    if not chosen or missing:
        raise ToonifyError(
            f"Expected GPUs among the {present} that the driver reports, found {which!r}; "
            "leave out --gpus to measure without one."
        )
    return run_at_once(settings, chosen, say)


def _numbers(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() for part in parts):
        raise ToonifyError(f"--gpus takes 'all' or numbers such as 0,1, not {text!r}.")
    return sorted({int(part) for part in parts})


def run_at_once(settings: EngineSettings, chosen: Sequence[int], say: Say) -> Report:
    """The engine benchmark in one process per GPU (the driver's numbers), timed at once."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(len(chosen))
    answers = context.Queue()
    names = [tier.name for tier in settings.tiers]
    workers = [
        context.Process(
            target=_work,
            args=(replace(settings, tiers=()), names, number, barrier, answers),
        )
        for number in chosen
    ]
    say(f"{len(workers)} processes, one per GPU")
    for worker in workers:
        worker.start()
    found: dict[int, dict[str, Any] | str] = {}
    latest = time.monotonic()
    while len(found) < len(workers) and time.monotonic() - latest < PATIENCE:
        try:
            number, answer = answers.get(timeout=1.0)
            found[number], latest = answer, time.monotonic()
        except queue.Empty:
            for number, worker in zip(chosen, workers, strict=True):
                # A process that was killed, perhaps for lack of memory, cannot say so itself.
                if number not in found and worker.exitcode:
                    barrier.abort()
                    found[number] = f"that of GPU {number} ended with code {worker.exitcode}"
    for number, worker in zip(chosen, workers, strict=True):
        if number not in found:
            found[number] = f"that of GPU {number} gave no answer for {PATIENCE / 60:.0f} minutes"
            worker.kill()
        worker.join()
    failures = [answer for answer in found.values() if isinstance(answer, str)]
    if failures:
        raise ToonifyError(f"A process of the multi-GPU run failed: {failures[0]}")
    return merge({number: Report.from_dict(found[number]) for number in chosen})


def _work(
    settings: EngineSettings,
    tiers: Sequence[str],
    number: int,
    barrier: Any,
    answers: Any,
) -> None:
    """In the child: choose the GPU before CUDA starts, then measure in step with the others."""
    # CUDA counts the fastest GPU first unless told to count as the driver does
    os.environ.update(CUDA_DEVICE_ORDER="PCI_BUS_ID", CUDA_VISIBLE_DEVICES=str(number))
    try:
        from benchmarks.tiers import TIERS

        full = replace(settings, tiers=tuple(TIERS[name] for name in tiers))
        report = run(full, lambda line: None, ready=lambda: barrier.wait(PATIENCE), only_cuda=True)
        answers.put((number, report.to_dict()))
    except Exception as error:  # every failure must reach the parent, or it waits forever
        barrier.abort()
        answers.put((number, f"{type(error).__name__}: {error}"))


def merge(reports: Mapping[int, Report]) -> Report:
    """All results under their GPU's number, and one aggregate for what all of them timed."""
    first = next(iter(reports.values()))
    results = [
        replace(
            result, name=f"GPU {number}: {result.name}", labels={**result.labels, "gpu": number}
        )
        for number, report in reports.items()
        for result in report.results
    ]
    for result in first.results:
        same = [report.result(result.name) for report in reports.values()]
        found = [one for one in same if one is not None]
        if len(found) == len(reports):
            results.append(_aggregate(result, found))
    complaints = [c for report in reports.values() for c in report.complaints]
    readings = [g for report in reports.values() for g in report.conditions.get("gpus", [])]
    return replace(
        first,
        conditions={
            **first.conditions,
            "complaints": list(dict.fromkeys(complaints)),
            "gpus": readings,
        },
        results=results,
        skipped=[
            Skipped(f"GPU {number}: {skipped.name}", skipped.reason)
            for number, report in reports.items()
            for skipped in report.skipped
        ],
        settings={**first.settings, "processes": len(reports)},
    )


def _aggregate(result: Result, found: Sequence[Result]) -> Result:
    added = ("images_per_s", "gmac_per_s", "power_w", "peak_memory_mib")
    metrics = {
        name: sum(one.metrics[name] for one in found)
        for name in added
        if all(name in one.metrics for one in found)
    }
    labels = {**result.labels, "gpu": "all"}
    return Result(f"all {len(found)} GPUs: {result.name}", labels, {}, metrics)
