"""The rules of docs/architecture.md, read off every import of the source."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SLOW

ROOT = Path(__file__).resolve().parents[1]
FILES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for room in ("realtime", "engines", "benchmarks", "examples", "tests")
    for path in sorted((ROOT / room).rglob("*.py"))
}

SEEN_BY_REALTIME = (
    *("backends", "bundle", "card", "catalogue", "errors", "faces", "files", "finish"),
    *("pictures", "redaction", "say"),
    *("animations", "command_line", "options", "text"),  # what every command line shares
)
FORBIDDEN = (  # who, what it must not import, and what of that it may
    ("engines", ("realtime", "benchmarks"), ()),
    ("tests/engines", ("realtime", "benchmarks", "tests.realtime", "tests.benchmarks"), ()),
    ("engines/backends", ("engines.training",), ()),
    ("realtime", ("engines",), tuple(f"engines.{name}" for name in SEEN_BY_REALTIME)),
    ("realtime", ("benchmarks", "tests"), ()),
    ("engines/networks", ("engines",), ("engines.networks", "engines.errors", "engines.finish")),
    ("engines/faces", ("engines",), ("engines.faces", "engines.errors", "engines.pictures")),
    ("examples", ("benchmarks", "engines.training", "tests"), ()),
)
LONGEST_FILE = 300  # lines; a longer one says "Over 300 lines: why" in its first twenty
MOST_MODULES = 12
LARGE_FOLDERS = {  # folder: as many modules as it may have
    "realtime": 23,  # the stops of one road, in docs/architecture.md's order
    "benchmarks": 20,
    "engines": 14,  # what all of it shares: bundles, errors, files, text
    "engines/backends": 18,  # a module for each back end, beside what they share
    "engines/networks": 13,  # a part of the network each
    "engines/training/artist": 18,  # one part of the face each
    "engines/training/learn": 13,  # three trainings, and a module for each thing they share
}
HEAVY = (
    *("lightning_fabric", "matplotlib", "mediapipe", "nncf", "onnx", "openvino"),
    *("pyvirtualcam", "starlette", "tensorrt", "tensorrt_rtx", "torch_tensorrt", "typer"),
    *("uvicorn", "websockets"),
    *("engines.training.learn", "engines.training.own", "engines.training.cli"),
)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def imports(file: str, source: str) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a file imports, wherever in it."""
    package = file.split("/")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def wrong_imports(file: str, source: str) -> list[str]:
    return [
        f"{file}:{line} imports {name}"
        for folder, forbidden, allowed in FORBIDDEN
        if file.startswith(f"{folder}/")
        for line, name in imports(file, source)
        if within(name, forbidden) and not within(name, allowed)
    ]


def too_long(file: str, source: str) -> list[str]:
    lines = source.splitlines()
    said = re.search(rf"[Oo]ver {LONGEST_FILE} lines: \w", "\n".join(lines[:20]))
    return [f"{file} has {len(lines)} lines"] if len(lines) > LONGEST_FILE and not said else []


def too_many(files: list[str]) -> list[str]:
    counts: dict[str, int] = {}
    for file in files:
        folder, _, name = file.rpartition("/")
        counts[folder] = counts.get(folder, 0) + (not name.startswith("__"))
    return [
        f"{folder} has {count} modules"
        for folder, count in counts.items()
        if count > LARGE_FOLDERS.get(folder, MOST_MODULES)
    ]


def test_rooms_import_only_what_they_may() -> None:
    wrong = [found for file, source in FILES.items() for found in wrong_imports(file, source)]
    assert not wrong, "\n".join(wrong)


def test_files_hold_one_idea() -> None:
    wrong = [found for file, source in FILES.items() for found in too_long(file, source)]
    assert not wrong, "\n".join(wrong)


def test_folders_need_no_map() -> None:
    assert too_many([file for file in FILES if not file.startswith("tests/")]) == []


def test_the_page_names_every_room() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `([\w/]+)` \|", page, re.M))
    rooms = {file.rpartition("/")[0] for file in FILES if not file.startswith("tests/")}
    assert named == rooms | {"tests"}


def test_what_is_called_slow_exists() -> None:
    assert [name for name in SLOW if not (ROOT / "tests" / name).exists()] == []


@pytest.mark.parametrize("training", [False, True])
def test_importing_a_package_is_light_and_opens_no_network(training: bool) -> None:
    packages = sorted(
        Path(file).parent.as_posix().replace("/", ".")
        for file in FILES
        if file.endswith("/__init__.py") and not file.startswith(("tests/", "examples/"))
    )
    heavy = HEAVY if training else (*HEAVY, "scipy", "engines.training")
    chosen = [
        name
        for name in packages
        if not within(name, heavy) and within(name, ("engines.training",)) == training
    ]
    script = f"""
import importlib, json, sys
network = []
def hook(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "urllib.Request"):
        network.append(event)
sys.addaudithook(hook)
for name in {chosen!r}:
    importlib.import_module(name)
print(json.dumps([sorted(sys.modules), network]))
"""
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    modules, network = json.loads(result.stdout.splitlines()[-1])
    assert len(chosen) > 2
    assert set(chosen) <= set(modules)
    assert [name for name in modules if within(name, heavy)] == []
    assert network == []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("engines/card.py", "import realtime"),
        ("engines/card.py", "def f():\n    from realtime.session import Session"),
        ("engines/faces/x.py", "from ..training import recipe"),
        ("engines/backends/x.py", "if TYPE_CHECKING:\n    import engines.training.learn.runs"),
        ("engines/backends/x.py", "from engines import training"),
        ("realtime/doctor.py", "from engines.networks.toon import ToonNetwork"),
        ("realtime/api.py", "from engines import blending"),
        ("realtime/api.py", "import benchmarks.cli"),
        ("engines/networks/x.py", "from engines.bundle import Bundle"),
        ("tests/engines/test_x.py", "from tests.realtime.fakes import Messages"),
    ],
)
def test_a_wrong_import_is_found(file: str, source: str) -> None:
    assert len(wrong_imports(file, source)) == 1


def test_what_is_right_passes() -> None:
    right = "from engines.faces.people import people\nfrom engines import bundle\nimport realtime.x"
    assert wrong_imports("realtime/api.py", right) == []
    assert wrong_imports("engines/backends/x.py", "import engines.trainings") == []
    long = "pass\n" * (LONGEST_FILE + 1)
    assert too_long("a.py", long) == ["a.py has 301 lines"]
    assert too_long("a.py", '"""Over 300 lines: one table."""\n' + long) == []
    assert too_long("a.py", long[5:]) == []
    assert too_many([f"a/{i}.py" for i in range(13)] + ["a/__init__.py"]) == ["a has 13 modules"]
    assert too_many([f"a/{i}.py" for i in range(12)] + ["a/__init__.py"]) == []
