"""What an engine runs on."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from benchmarks.machine import device_kind


@pytest.mark.parametrize(
    ("device", "kind"),
    [("CPU, x86_64", "cpu"), ("A card", "cuda"), ("GPU.0, Intel(R) Graphics", "other")],
)
def test_the_device_decides_what_an_engine_runs_on(
    monkeypatch: pytest.MonkeyPatch, device: str, kind: str
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda: "A card")
    assert device_kind(SimpleNamespace(name="torch", device=device)) == kind
