"""Every command and every line of Python in the README and the docs is true."""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import pytest
import typer

from engines.faces.people import people
from realtime.cli.app import app, main
from tests.pictures import read_bgr
from tests.realtime.media import write_movie

ROOT = Path(__file__).resolve().parents[1]
OWN = ("tests.", "benchmarks.")  # rooms with programs of their own
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "benchmarks" / "README.md"]
PAGES += sorted((ROOT / "docs").glob("*.md"))
SHELLS = ("sh", "shell", "powershell")
APPS = {"bench": "benchmarks.cli", "train": "engines.training.cli.app"}
MODULES = {"benchmarks": "bench", "engines.training": "train", "realtime": ""}
RUN = ("image", "video", "models show", "engines list")  # these are quick, and do really run


def blocks(page: Path, *languages: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return [body for name, body in re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S)
            if name in languages]  # fmt: skip


def command_lines(page: Path) -> list[str]:
    """What stands in shell blocks, one command each, without comments."""
    lines = "\n".join(blocks(page, *SHELLS)).replace("\\\n", " ").splitlines()
    found = []
    for line in lines:
        lexer = shlex.shlex(line.replace("\\", "/"), posix=True, punctuation_chars=";&")
        lexer.whitespace_split = True
        current: list[str] = []
        for word in [*lexer, ";"]:
            if word in (";", "&&"):
                found += [shlex.join(current)] if current else []
                current = []
            else:
                current.append(word)
    return found


def inline(page: Path) -> list[str]:
    """Commands in running text, which may leave arguments out."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.findall(r"`((?:toonify|make|python -m \w[\w.]*|python examples/)\b[^`]*)`", prose)


def toonify_words(line: str) -> list[str] | None:
    """The words after `toonify`, however it is started; None for another program."""
    words = shlex.split(line)
    program = words[0].rpartition("/")[2]
    if program == "toonify":
        return words[1:]
    if words[1:2] == ["-m"] and words[2] in MODULES:
        return [word for word in [MODULES[words[2]], *words[3:]] if word]
    return None


def check_toonify(words: list[str], *, whole: bool) -> None:
    """Let the real command line parse the words; whole: no argument may be missing."""
    command: Any = typer.main.get_command(app)
    path = ["toonify"]
    while words and words[0] in getattr(command, "commands", {}):
        path.append(words[0])
        command = command.commands[words[0]]
        if len(path) == 2 and words[0] in APPS:
            command = typer.main.get_command(import_module(APPS[words[0]]).app)
        words = words[1:]
    if getattr(command, "commands", None):
        assert not words, f"{' '.join(path)} has no command {words[0]!r}"
        assert not whole or words == ["--help"], f"{' '.join(path)} needs a command"
        return
    try:
        command.make_context(" ".join(path), list(words))
    except Exception as error:
        if whole or type(error).__name__ != "MissingParameter":
            raise AssertionError(f"{' '.join([*path, *words])}: {error}") from error


def check_other(line: str) -> None:
    """What is no `toonify`: make targets, groups of packages, scripts."""
    words = shlex.split(line)
    program = words[0].rpartition("/")[2]
    if program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
        assert {word for word in words[1:] if "=" not in word} <= set(targets), line
    elif program == "pip" and words[1:2] == ["install"]:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        groups = re.findall(r"\[([\w,]+)\]", line)
        wanted = {name for group in groups for name in group.split(",")}
        assert wanted <= set(project["optional-dependencies"]), line
        pinned = (ROOT / "constraints.txt").read_text("utf-8").split()
        assert all(word in pinned for word in words if "==" in word), line
    elif program.startswith("python") and words[1].endswith(".py"):
        assert (ROOT / words[1]).is_file(), line
    elif (
        program.startswith("python")
        and words[2:]
        and words[2].startswith(("tests.", "benchmarks."))
    ):
        module = ROOT / words[2].replace(".", "/")
        assert module.with_suffix(".py").is_file() or (module / "__main__.py").is_file(), line
    else:
        assert program in ("py", "python3", "source", "sudo", "cd", "git"), f"unknown: {line}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the files that the pages speak of."""
    shutil.copy(people()[0], tmp_path / "portrait.webp")
    photo = read_bgr(people()[0])
    cv2.imwrite(str(tmp_path / "portrait.jpg"), photo)
    (tmp_path / "holiday").mkdir()
    shutil.copy(people()[1], tmp_path / "holiday")
    small = cv2.resize(photo, (256, 256), interpolation=cv2.INTER_AREA)
    write_movie(tmp_path / "talk.mp4", 5, size=(256, 256), pictures=[small] * 5)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Camera:
    """A camera that delivers two pictures and ends."""

    def __init__(self, index: int) -> None:
        self.left = 2

    def read(self) -> tuple[bool, object]:
        self.left -= 1
        return self.left >= 0, cv2.imread("portrait.jpg")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_is_one(page: Path, folder: Path) -> None:
    for lines, whole in ((command_lines(page), True), (inline(page), False)):
        for line in lines:
            words = toonify_words(line)
            if words is None:
                check_other(line)
            else:
                check_toonify(words, whole=whole)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{page.name}: {target}"
        if anchor:
            heads = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.M)
            names = [re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads]
            assert anchor in names, f"{page.name}: {target}"


def test_quick_commands_run(folder: Path) -> None:
    lines = [toonify_words(line) for page in PAGES for line in command_lines(page)]
    ran = set()
    for line in sorted({shlex.join(words) for words in lines if words}):
        if start := [name for name in RUN if line.startswith(name)]:
            assert main(shlex.split(line)) == 0, line
            ran |= set(start)
    assert {"image", "video", "engines list"} <= ran
    assert (folder / "toons" / "portrait.jpg").is_file()
    assert (folder / "talk-toon.mp4").is_file()


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda p: p.name)
def test_every_line_of_python_runs(
    page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    names: dict[str, Any] = {}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), names)
    toon, photo = read_bgr("toon.png"), read_bgr("portrait.jpg")
    assert toon.shape == photo.shape
    assert (toon != photo).mean() > 0.1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("toonify run --no-such-flag", "no-such-flag"),
        ("toonify image", "(?i)missing"),
        ("toonify models paint", "no command 'paint'"),
        ("python -m benchmarks engines --tier", "tier"),
        ("toonify train style", "(?i)missing"),
    ],
)
def test_a_wrong_command_is_found(line: str, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_toonify(toonify_words(line) or [], whole=True)


def test_other_wrong_lines_are_found() -> None:
    for line in ("make tea", "pip install -e '.[nothing]'", "pip install torch==1.0", "rm -rf /",
                 "python -m tests.nothing"):  # fmt: skip
        with pytest.raises(AssertionError):
            check_other(line)
