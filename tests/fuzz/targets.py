"""What reads files of strangers: a maker of bad files and a reader for each kind."""

from __future__ import annotations

import hashlib
import json
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save

from engines.bundle import Bundle
from engines.card import Card
from engines.checkpoints import read_checkpoint
from realtime.settings import Settings, load_settings, save_settings
from tests.engines.checkpoints import writers
from tests.engines.factory import tiny_bundle
from tests.fuzz.mutate import (
    mutate_bytes,
    mutate_safetensors,
    mutate_toml,
    mutate_tree,
    mutate_zip,
    unzipped,
    write_json,
    zipped,
)


@dataclass(frozen=True)
class Target:
    """One kind of file.

    Attributes:
        name: of the kind, for reports.
        share: of all cases.
        make: a bad file's bytes.
        read: reads it as the program does; raises `ToonifyError` to refuse it.
    """

    name: str
    share: float
    make: Callable[[random.Random], bytes]
    read: Callable[[Path], object]


def targets() -> tuple[Target, ...]:
    """Every kind, with the good files that the bad ones are made from."""
    with tempfile.TemporaryDirectory() as room:
        path = Path(room) / "a.toon"
        tiny_bundle().save(path)
        bundle = path.read_bytes()
        save_settings(Settings(), Path(room) / "a.toml")
        settings = (Path(room) / "a.toml").read_text()
    card = unzipped(bundle)["card.json"].decode()
    return (
        Target("checkpoints", 0.4, _checkpoints(), read_checkpoint),
        Target("bundles", 0.2, lambda rng: _bad_bundle(bundle, rng), _read_bundle),
        Target("cards", 0.2, lambda rng: _bad_card(card, rng), _read_card),
        Target("settings", 0.2, lambda rng: _bad_settings(settings, rng), _read_settings),
    )


def _checkpoints() -> Callable[[random.Random], bytes]:
    state = writers.random_state(0)
    zips = [writers.rosinality_file(state), writers.psp_file(state)]
    tensors = save(state, {"conv_clamp": "256"})
    others = [
        tensors,
        writers.nvidia_pickle(state),
        writers.tensorflow_pickle(state, 2),
        writers.rosinality_file(state, legacy=True),
    ]

    def make(rng: random.Random) -> bytes:
        match rng.randrange(6):
            case 0 | 1:
                return mutate_zip(rng.choice(zips), rng)
            case 2:
                return mutate_safetensors(tensors, rng)
            case _:
                return mutate_bytes(rng.choice((*zips, *others)), rng)

    return make


def _bad_bundle(good: bytes, rng: random.Random) -> bytes:
    choice = rng.randrange(4)
    if choice == 0:
        return mutate_bytes(good, rng)
    if choice == 1:
        return mutate_zip(good, rng)
    # A part or the card says something else, and every hash fits.
    members = unzipped(good)
    card = json.loads(members["card.json"])
    if choice == 2:
        card = mutate_tree(card, rng)
    else:
        name = rng.choice([name for name in members if name.endswith(".safetensors")])
        change = rng.choice((mutate_bytes, mutate_safetensors))
        members[name] = change(members[name], rng)
    if isinstance(card, dict) and isinstance(card.get("parts"), dict):
        for name in card["parts"].keys() & members.keys():
            card["parts"][name] = hashlib.sha256(members[name]).hexdigest()
    members["card.json"] = write_json(card, rng)
    return zipped(members, rng)


def _read_bundle(path: Path) -> None:
    """The program shows the card of what it loads, and makes its network."""
    bundle = Bundle.load(path)
    bundle.card.to_markdown()
    bundle.network()


def _bad_card(good: str, rng: random.Random) -> bytes:
    if rng.random() < 0.2:
        return mutate_bytes(good.encode(), rng)
    return write_json(mutate_tree(json.loads(good), rng), rng)


def _read_card(path: Path) -> None:
    """A card that is taken can be shown, and written so that it is taken again as it was."""
    card = Card.from_json(path.read_bytes().decode(errors="replace"))
    card.to_markdown()
    again = card.to_json()
    assert Card.from_json(again).to_json() == again, "the card changed when it was written"


def _bad_settings(good: str, rng: random.Random) -> bytes:
    if rng.random() < 0.2:
        return mutate_bytes(good.encode(), rng)
    return mutate_toml(good, rng)


def _read_settings(path: Path) -> None:
    """Settings that are taken can be saved, and are the same when loaded again."""
    settings = load_settings(path)
    again = path.with_name("again.toml")
    save_settings(settings, again)
    assert load_settings(again) == settings, "the settings changed when they were saved"
