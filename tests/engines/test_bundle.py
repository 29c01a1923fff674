"""Bundles on disk: round trip, integrity, honest refusals."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engines.blending import BlendSpec, SpecError
from engines.bundle import Bundle, default_bundle
from engines.card import BundleError, StyleError
from engines.finish import Finish


@pytest.mark.parametrize("name", ["model", "model.toon"])
def test_round_trip_keeps_the_picture(bundle: Bundle, tmp_path: Path, name: str) -> None:
    bundle.save(tmp_path / name)
    loaded = Bundle.load(tmp_path / name)
    assert loaded.styles == bundle.styles == ("film", "comic")
    assert loaded.card.generator == bundle.card.generator
    assert loaded.card.encoder == bundle.card.encoder
    crops = torch.randint(0, 256, (1, 64, 64, 3), dtype=torch.uint8)
    for style in loaded.styles:
        before, after = bundle.network(style)(crops)[0], loaded.network(style)(crops)[0]
        # Weights are stored in FP16.
        assert (before.float() - after.float()).abs().mean() < 1


def test_a_network_carries_the_name_that_servers_know(bundle: Bundle) -> None:
    assert bundle.network().label == f"{bundle.card.name}-film"
    assert bundle.network("comic", 16).label == f"{bundle.card.name}-comic-swap16"


def test_live_pictures_are_finished_as_the_style_wants_it() -> None:
    """Unless the person's own fine layers draw: neither eyes nor ink belong over those."""
    shipped = default_bundle()
    film, comic, person = (shipped.network(*x) for x in (("film",), ("comic",), ("comic", 16)))
    assert film.finish == Finish(painted_eyes=True, relief=True, haired_brows=True, reshaped=True)
    assert comic.finish == Finish(painted_eyes=True, inked=True, haired_brows=True, reshaped=True)
    assert person.finish == Finish()


def test_styles_and_blends_differ(bundle: Bundle) -> None:
    crops = torch.randint(0, 256, (1, 64, 64, 3), dtype=torch.uint8)
    film, comic = (bundle.network(s)(crops)[0].float() for s in ("film", "comic"))
    swapped = bundle.network("film", spec=BlendSpec(swap_resolution=16))(crops)[0].float()
    briefly = bundle.network("film", swap=16)(crops)[0].float()
    face = BlendSpec(swap_resolution=None, strength=0.0)
    none = bundle.network("film", spec=face)(crops)[0].float()
    also_none = bundle.network("comic", spec=BlendSpec(None, strength=0.0))(crops)[0].float()
    assert (film - comic).abs().mean() > 1
    assert (film - swapped).abs().mean() > 1
    assert torch.equal(none, also_none)
    assert torch.equal(swapped, briefly)
    with pytest.raises(BundleError, match="no style 'clay'"):
        bundle.network("clay")


def test_saving_replaces_a_model_but_nothing_else(bundle: Bundle, saved: Path) -> None:
    bundle.save(saved)
    assert Bundle.load(saved).styles == bundle.styles
    other = saved.parent / "photos"
    other.mkdir()
    (other / "dear.txt").write_text("keep me")
    with pytest.raises(BundleError, match="something else"):
        bundle.save(other)
    assert (other / "dear.txt").read_text() == "keep me"


def test_a_changed_part_is_refused(saved: Path) -> None:
    path = saved / "encoder.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleError, match=r"encoder\.safetensors was altered"):
        Bundle.load(saved)


def test_what_a_file_says_is_quoted_short_and_printable(saved: Path) -> None:
    card = json.loads((saved / "card.json").read_text())
    card["parts"] = {"\x1b[2J" + "x" * 5000: ""}
    (saved / "card.json").write_text(json.dumps(card))
    with pytest.raises(BundleError, match=r"the card lists the parts .*xxx, but its") as caught:
        Bundle.load(saved)
    assert str(caught.value).startswith(str(saved))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 800 + len(str(saved))


def test_a_missing_part_is_named(saved: Path) -> None:
    (saved / "toon-comic.safetensors").unlink()
    with pytest.raises(BundleError, match=r"toon-comic\.safetensors, which is missing"):
        Bundle.load(saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("synthesis.b8.conv1.weight"), r"b8\.conv1\.weight is missing"),
        (lambda s: s.update(extra=torch.zeros(1)), "extra does not belong"),
        (lambda s: s.update({"mapping.w_avg": torch.zeros(3)}), r"mapping\.w_avg .* is \[3\]"),
        (lambda s: s["synthesis.b4.const"].fill_(float("nan")), "undefined numbers"),
        (
            lambda s: s.update({"mapping.w_avg": torch.zeros(16, dtype=torch.int8)}),
            r"mapping\.w_avg .* numbers of another kind",
        ),
    ],
)
def test_tensors_must_fit_the_card(
    saved: Path, change: Callable[[dict[str, torch.Tensor]], object], message: str
) -> None:
    path = saved / "face.safetensors"
    state = load_file(path)
    change(state)
    save_file(state, path)
    card = json.loads((saved / "card.json").read_text())
    card["parts"]["face.safetensors"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (saved / "card.json").write_text(json.dumps(card))
    with pytest.raises(BundleError, match=message):
        Bundle.load(saved)


def test_parts_outside_the_bundle_are_never_read(saved: Path) -> None:
    secret = saved.parent / "secret.safetensors"
    shutil.copy(saved / "face.safetensors", secret)
    card = json.loads((saved / "card.json").read_text())
    card["parts"]["../secret.safetensors"] = card["parts"].pop("face.safetensors")
    (saved / "card.json").write_text(json.dumps(card))
    with pytest.raises(BundleError, match="its styles need"):
        Bundle.load(saved)


def test_numbers_that_torch_does_not_have(saved: Path) -> None:
    entry = {"dtype": "F8_E8M0", "shape": [16], "data_offsets": [0, 16]}
    header = json.dumps({"mapping.w_avg": entry}).encode()
    data = struct.pack("<Q", len(header)) + header + bytes(16)
    (saved / "face.safetensors").write_bytes(data)
    card = json.loads((saved / "card.json").read_text())
    card["parts"]["face.safetensors"] = hashlib.sha256(data).hexdigest()
    (saved / "card.json").write_text(json.dumps(card))
    with pytest.raises(BundleError, match=r"face\.safetensors"):
        Bundle.load(saved)


def test_an_encrypted_file_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "model.toon"
    bundle.save(path)
    data = bytearray(path.read_bytes())
    for start, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # of the first member
        data[data.index(start) + flags] |= 1
    path.write_bytes(data)
    with pytest.raises(BundleError, match=r"not a model file .*encrypted"):
        Bundle.load(path)


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no model at"):
        Bundle.load(tmp_path / "nothing")
    path = tmp_path / "bad.toon"
    path.write_bytes(b"PK\x03\x04 but not really")
    with pytest.raises(BundleError, match="not a model file"):
        Bundle.load(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("card.json", "{}" * 1000)
    with pytest.raises(BundleError, match="compressed"):
        Bundle.load(path)


def test_a_model_without_encoder_says_so(bundle: Bundle, tmp_path: Path) -> None:
    bare = replace(bundle, encoder=None, card=replace(bundle.card, encoder=None))
    bare.save(tmp_path / "bare")
    loaded = Bundle.load(tmp_path / "bare")
    assert loaded.generator("film").config == bundle.card.generator
    with pytest.raises(BundleError, match="no encoder"):
        loaded.network()


@pytest.mark.parametrize(
    ("style", "spec", "error"),
    [
        ("none", None, StyleError),
        (None, BlendSpec(swap_resolution=1024), SpecError),
        (None, BlendSpec(weights=(0.5,)), SpecError),
    ],
)
def test_what_a_bundle_has_not_is_told_without_building_it(
    bundle: Bundle,
    style: str | None,
    spec: BlendSpec | None,
    error: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engines.bundle.blend", None)
    with pytest.raises(error) as checked:
        bundle.check(style, spec=spec)
    with pytest.raises(error) as built:
        bundle.network(style, spec=spec)
    assert str(checked.value) == str(built.value)
    bundle.check()


def test_what_is_no_model_is_named_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.toon"
    path.write_bytes(b"no model")
    with pytest.raises(BundleError, match=r"bad\.toon is not a model file") as told:
        Bundle.load(path)
    assert str(told.value).count("bad.toon") == 1
