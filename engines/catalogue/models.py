"""Models by name: the shipped ones, those the user installed, those that can be downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from engines.bundle import SUFFIX, Bundle, shipped_bundle
from engines.card import BundleError
from engines.catalogue import DEFAULT_BUNDLE, SHIPPED
from engines.errors import ToonifyError, UsageError
from engines.files import atomic_path, check_writable

DownloadProgress = Callable[[int, int], None]
"""Takes bytes so far and bytes in all (0 if the server does not tell)."""


class DownloadError(ToonifyError):
    """A model that could not be fetched."""


class DownloadUseError(DownloadError, UsageError):
    """What was asked for can never be fetched."""


@dataclass(frozen=True)
class Download:
    """A model that can be fetched: a `.toon` file at `url` with this sha256 (hex)."""

    url: str
    sha256: str
    summary: str
    licence: str


DOWNLOADS: dict[str, Download] = {}
"""Name -> model. Nothing is hosted yet beside the models in the package; `fetch` takes any URL."""


@dataclass(frozen=True)
class Installed:
    """A model on this machine."""

    name: str
    path: Path
    shipped: bool


def models_directory() -> Path:
    """Where installed models lie: TOONIFY_MODELS, else the user's data folder."""
    root = os.environ.get("TOONIFY_MODELS")
    return Path(root) if root else user_data_path("toonify", appauthor=False) / "models"


def installed_models() -> list[Installed]:
    """The shipped models, if this package has them, then the user's by name, as far as their
    folder can be read."""
    shipped = [Installed(name, shipped_bundle(name), True) for name in SHIPPED]
    models = [model for model in shipped if (model.path / "card.json").exists()]
    for path in _own_files():
        if path.suffix == SUFFIX or os.path.isfile(path / "card.json"):
            models.append(Installed(path.stem if os.path.isfile(path) else path.name, path, False))
    return models


def _own_files() -> list[Path]:
    """What lies in the user's folder of models; nothing if it is not there or may not be read, so
    that the shipped ones can still be used."""
    try:
        return sorted(models_directory().iterdir())
    except OSError:
        return []


def find_model(what: str) -> Path:
    """Path of the model that a name or a path means.

    Raises:
        BundleError: when there is no such model.
    """
    path = Path(what)
    # A name may be too long for the system, or lie in a closed folder; `Path.exists` raises then.
    if os.path.exists(path / "card.json") or (path.suffix == SUFFIX and os.path.exists(path)):
        return path
    models = installed_models()
    for model in models:
        if model.name == what:
            return model.path
    names = ", ".join(model.name for model in models) or "none"
    advice = "fetch or import it" if what not in SHIPPED else "reinstall the package"
    raise BundleError(f"There is no model {what!r} (installed: {names}); {advice}.")


def find_bundle(what: str = DEFAULT_BUNDLE) -> Bundle:
    """Load the model that a name or a path means.

    Raises:
        BundleError: when there is none, or it is damaged.
    """
    return Bundle.load(find_model(what))


def install(path: Path) -> Installed:
    """Check a `.toon` file and copy it into the models' folder.

    Raises:
        BundleError: when the file is not a sound model.
        WriteError: when the folder cannot be written.
    """
    name = Bundle.load(path).card.name
    folder = models_directory()
    target = folder / f"{name}{SUFFIX}"
    assert target.parent == folder  # a card's name is never a path
    with atomic_path(target) as part:
        shutil.copyfile(path, part)
    return Installed(name, target, False)


def fetch(
    what: str, sha256: str | None = None, progress: DownloadProgress = lambda done, total: None
) -> Installed:
    """Download, check and install a model.

    An interrupted download continues where it stopped. Nothing is installed before the hash, the
    card and every part have been checked.

    Args:
        what: a name in `DOWNLOADS`, or a URL.
        sha256: of the file, 64 hex digits; needed for a URL.
        progress: takes bytes so far and bytes in all.

    Raises:
        DownloadUseError: when the package brings it, or a URL comes without its hash.
        DownloadError: when there is none of that name, it cannot be fetched, or has another hash.
        BundleError: when it is not a sound model.
        WriteError: when the models' folder cannot be written.
    """
    import pooch

    if what in DOWNLOADS:
        url, sha256 = DOWNLOADS[what].url, DOWNLOADS[what].sha256
    elif what.startswith(("https://", "http://")):
        url = what
    elif what in SHIPPED:
        raise DownloadUseError(f"{what} comes with the package; there is nothing to fetch.")
    else:
        names = ", ".join(DOWNLOADS) or "none in this release"
        raise DownloadError(
            f"There is no model {what!r} to fetch (known: {names}); give a URL and its --sha256 "
            f"(https:// or http://)."
        )
    if not sha256 or len(sha256) != 64:
        raise DownloadUseError(
            "A model from a URL needs --sha256 with its 64 hex digits, as its maker published it."
        )
    pooch.get_logger().setLevel("WARNING")  # we show the progress ourselves
    folder = models_directory() / "downloads"
    name = f"{sha256[:16]}{SUFFIX}"
    check_writable(folder / name)
    try:
        path = pooch.retrieve(
            url,
            known_hash=f"sha256:{sha256.lower()}",
            fname=name,
            path=folder,
            downloader=_Resuming(folder / f"{name}.part", progress),
        )
    except ValueError as error:
        (folder / f"{name}.part").unlink(missing_ok=True)
        raise DownloadError(
            f"What {url} delivered does not have the expected sha256, so it was thrown away; "
            "check the address and the hash."
        ) from error
    except OSError as error:  # requests' errors are OSErrors
        raise DownloadError(
            f"{url} cannot be reached ({type(error).__name__}); check the network and run the "
            "same command again: it goes on where it stopped."
        ) from error
    model = install(Path(path))
    Path(path).unlink()
    return model


class _Resuming:
    """A downloader for pooch that keeps what it has in `part` and asks for the rest."""

    def __init__(self, part: Path, progress: DownloadProgress) -> None:
        self._part = part
        self._progress = progress

    def __call__(self, url: str, output_file: Any, _pooch: object) -> None:
        import requests

        self._part.parent.mkdir(parents=True, exist_ok=True)
        done = self._part.stat().st_size if self._part.exists() else 0
        headers = {"Range": f"bytes={done}-"} if done else {}
        with requests.get(url, headers=headers, stream=True, timeout=(10, 60)) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                total = done  # the whole file is there already
            else:
                response.raise_for_status()
                if response.status_code != requests.codes.partial_content:
                    done = 0
                length = int(response.headers.get("Content-Length", 0))
                total = done + length if length else 0
                with self._part.open("ab" if done else "wb") as file:
                    for chunk in response.iter_content(1 << 16):
                        file.write(chunk)
                        done += len(chunk)
                        self._progress(done, total)
        if total and done < total:
            raise OSError(f"the connection ended after {done} of {total} bytes")
        os.replace(self._part, output_file)
