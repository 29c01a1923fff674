"""One page on why `toonify run` works here or not, with the command that fixes each problem."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from engines.errors import ToonifyError

State = Literal["good", "note", "bad"]


@dataclass(frozen=True)
class Finding:
    """One line of the page; "bad" means that `run` cannot work."""

    what: str
    state: State
    detail: str
    fix: str = ""


def examine() -> Iterator[Finding]:
    """All findings, one after the other as they are made."""
    yield Finding("system", "good", f"{platform.platform()}, Python {platform.python_version()}")
    yield from _cameras()
    yield from _virtual_cameras()
    yield _display()
    yield _gpu()
    yield from _engines()
    yield from _models()
    yield _tracker()


def _cameras() -> Iterator[Finding]:
    from realtime.devices import examine_cameras

    reports = examine_cameras()
    working = any(not report.problem for report in reports)
    for report in reports:
        state: State = "good" if not report.problem else "note" if working else "bad"
        yield Finding("camera", state, f"{report.name} ({report.sizes})", report.problem)
    if not reports:
        allow = {
            "Linux": "plug one in; if one is, join its group: `sudo usermod -aG video $USER`",
            "Darwin": "plug one in and allow it in System Settings > Privacy & Security > Camera",
        }.get(platform.system(), "plug one in and allow it in Settings > Privacy > Camera")
        yield Finding("camera", "bad", "none found", allow)


def _virtual_cameras() -> Iterator[Finding]:
    from realtime.devices import examine_virtual_cameras

    reports = examine_virtual_cameras()
    working = any(not report.problem for report in reports)
    for report in reports:
        state: State = "good" if not report.problem else "note" if working else "bad"
        yield Finding("virtual camera", state, report.name, report.problem)


def _display() -> Finding:
    from realtime.sinks.preview import has_display

    if has_display():
        return Finding("display", "good", "a preview window can be opened")
    return Finding("display", "note", "none, so no --preview", "log in to a desktop session")


def _gpu() -> Finding:
    import torch

    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
        major, minor = torch.cuda.get_device_capability()
        return Finding("GPU", "good", f"{name}, compute capability {major}.{minor}{_driver()}")
    if torch.backends.mps.is_available():
        return Finding("GPU", "good", "Apple GPU (MPS)")
    if torch.version.cuda is None and Path("/proc/driver/nvidia/version").exists():
        return Finding(
            "GPU",
            "note",
            "an NVIDIA driver, but PyTorch is a build for the CPU",
            "`pip install --force-reinstall torch` with the index for your CUDA version",
        )
    return Finding("GPU", "note", "none that PyTorch can use; the CPU does")


def _driver() -> str:
    if find_spec("pynvml") is None:
        return ""
    import pynvml

    try:
        pynvml.nvmlInit()
        return f", driver {pynvml.nvmlSystemGetDriverVersion()}"
    except pynvml.NVMLError:
        return ""


def _engines() -> Iterator[Finding]:
    """Build and run a small network on every back end: what runs here runs the real one."""
    from engines.backends.registry import create_engine
    from engines.backends.trial import trial_network

    network = trial_network()
    running = []
    for name in _engine_names():
        try:
            with tempfile.TemporaryDirectory() as folder:
                engine = create_engine(
                    network, name, max_batch=1, cache_dir=Path(folder), say=lambda line: None
                )
                running.append(name)
                detail = f"{engine.device}, {engine.precision}"
                engine.close()
            yield Finding(f"engine {name}", "good", detail)
        except ToonifyError as error:
            yield Finding(f"engine {name}", "note", "does not run here", str(error))
    if not running:
        yield Finding(
            "engines", "bad", "none runs", "`pip install --force-reinstall openvino torch`"
        )


def _engine_names() -> list[str]:
    """The back ends, and the GPUs and NPUs that OpenVINO finds."""
    from engines.backends.devices.intel import accelerators, shared_core
    from engines.backends.registry import BACKENDS

    try:
        others = accelerators(shared_core())
    except ToonifyError:  # OpenVINO is missing, which its own line says
        others = []
    return [*BACKENDS, *(f"openvino:{name.lower()}" for name in others)]


def _models() -> Iterator[Finding]:
    from engines.bundle import Bundle
    from engines.catalogue import SHIPPED
    from engines.catalogue.models import installed_models

    models = installed_models()
    for model in models:
        try:
            card = Bundle.load(model.path).card
            styles = ", ".join(card.styles)
            yield Finding(
                f"model {model.name}", "good", f"{len(card.parts)} parts, hashes right; {styles}"
            )
        except ToonifyError as error:
            state: State = "bad" if model.shipped else "note"
            yield Finding(f"model {model.name}", state, str(error), _reinstall(model.shipped))
    for name in SHIPPED:
        if name not in {model.name for model in models if model.shipped}:
            yield Finding(f"model {name}", "bad", "missing", _reinstall(True))


def _reinstall(shipped: bool) -> str:
    fix = "get it again: `git checkout engines/catalogue` in Toonify's folder"
    return fix if shipped else "delete it, then fetch or import it again"


def _tracker() -> Finding:
    try:
        from realtime.faces.tracker import FaceTracker

        FaceTracker().close()
    except (ImportError, OSError, ToonifyError) as error:
        fix = "`pip install --force-reinstall mediapipe`"
        if "libGL" in str(error) or "libEGL" in str(error) or "libGLES" in str(error):
            fix = "`sudo apt install libgl1 libegl1 libgles2`"
        return Finding("face tracker", "bad", str(error), fix)
    return Finding("face tracker", "good", "MediaPipe and its face model")
