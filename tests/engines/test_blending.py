"""Layer swapping against tables worked out by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from engines.blending import BlendError, BlendSpec, blend, layer_weights, toon_draws_eyes
from engines.networks.generator import Generator
from engines.networks.generator_config import GeneratorConfig

State = dict[str, torch.Tensor]
FEATURES = ((8, 3),)


def random_state(seed: int, resolution: int = 32, **changes: object) -> State:
    """A generator's state with every tensor random, gates and mask head included."""
    settings: dict[str, object] = {
        "w_dim": 8, "z_dim": 8, "channel_base": 128, "channel_max": 6, "mapping_layers": 2,
        "feature_channels": FEATURES, "mask_resolution": 16, "detail_resolution": 8,
        "photo_resolution": 16,
    }  # fmt: skip
    config = GeneratorConfig(resolution=resolution, **{**settings, **changes})  # type: ignore[arg-type]
    rng = torch.Generator().manual_seed(seed)
    state = Generator(config).state_dict()
    return {name: torch.randn(p.shape, generator=rng) for name, p in state.items()}


@pytest.fixture(scope="module")
def face() -> State:
    return random_state(0)


@pytest.fixture(scope="module")
def toon(face: State) -> State:
    state = random_state(1)
    state["mapping.w_avg"] = face["mapping.w_avg"] * 1.1 + 0.01  # fine-tuned from one base
    return state


LAYERS_32 = [
    "b4.const", "b4.conv1", "b4.torgb", "b8.conv0", "b8.conv1", "b8.torgb",
    "b16.conv0", "b16.conv1", "b16.torgb", "b32.conv0", "b32.conv1", "b32.torgb",
]  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (BlendSpec(swap_resolution=16), [1] * 6 + [0] * 6),
        (BlendSpec(swap_resolution=16, level="conv1"), [1] * 7 + [0] * 5),
        (BlendSpec(swap_resolution=16, low="face"), [0] * 6 + [1] * 6),
        (BlendSpec(swap_resolution=4), [0] * 12),
        (BlendSpec(swap_resolution=4, level="conv1"), [1] + [0] * 11),
        (BlendSpec(swap_resolution=None), [1] * 12),
        (BlendSpec(swap_resolution=None, strength=0.25), [0.25] * 12),
        (BlendSpec(swap_resolution=8, low="face", strength=0.5), [0] * 3 + [0.5] * 9),
        # One weight per w index 0..7; a block's torgb shares its index with the next conv0.
        (
            BlendSpec(weights=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)),
            [0.0, 0.0, 0.1, 0.1, 0.2, 0.3, 0.3, 0.4, 0.5, 0.5, 0.6, 0.7],
        ),
        (BlendSpec(weights=(1, 1, 1, 0, 0, 0, 0, 0), strength=0.5), [0.5] * 5 + [0] * 7),
    ],
)
def test_weights_follow_the_table(spec: BlendSpec, expected: list[float]) -> None:
    weights = layer_weights(spec, 32)
    assert weights.pop("mapping") == 0
    assert weights.pop("noise") == 0
    assert list(weights) == LAYERS_32
    assert list(weights.values()) == pytest.approx(expected)


def test_logistic_weights() -> None:
    weights = layer_weights(BlendSpec(swap_resolution=16, low="face", width=0.7), 32)
    positions = {"b4.const": 0, "b4.conv1": 1, "b8.conv0": 2, "b16.conv0": 4, "b16.torgb": 5,
                 "b32.conv1": 7}  # fmt: skip
    for layer, position in positions.items():
        assert weights[layer] == pytest.approx(1 / (1 + math.exp(-(position - 4) / 0.7)))
    mirrored = layer_weights(BlendSpec(swap_resolution=16, low="toon", width=0.7), 32)
    assert all(mirrored[n] == pytest.approx(1 - weights[n]) for n in positions)
    narrow = layer_weights(BlendSpec(swap_resolution=16, low="face", width=1e-9), 32)
    assert [narrow[n] for n in positions] == pytest.approx([0, 0, 0, 0.5, 1, 1])


def test_the_vtoonify_setting_is_one_w_index_table() -> None:
    weights = layer_weights(BlendSpec(weights=(1.0,) * 9 + (0.0,) * 9), 1024)
    assert [n for n, a in weights.items() if a == 1][-1] == "b64.conv1"


@pytest.mark.parametrize(("low", "kept"), [("toon", 1.0), ("face", 0.0)])
def test_published_quirk(low: str, kept: float) -> None:
    """32 means the other model from 64 on; what the script never blends is the low model's."""
    spec = BlendSpec(swap_resolution=32, low=low, published_quirk=True)  # type: ignore[arg-type]
    weights = layer_weights(spec, 128)
    for layer, weight in weights.items():
        high = layer.startswith(("b64", "b128"))
        assert weight == (1 - kept if high else kept), layer
    # Under a logistic the script's centre is where it says; only b4.conv1 does not follow it.
    soft = layer_weights(dataclasses.replace(spec, width=1.0), 128)
    assert soft["b32.conv0"] == pytest.approx(0.5)
    assert soft["b4.conv1"] == soft["mapping"] == soft["noise"] == kept
    assert soft["b4.const"] == pytest.approx(abs(kept - 1 / (1 + math.exp(6))))


def test_every_tensor_takes_its_layer_weight(face: State, toon: State) -> None:
    spec = BlendSpec(weights=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8))
    weights = layer_weights(spec, 32)
    blended = blend(face, toon, spec)
    assert list(blended) == list(face)
    of_layer = {
        "mapping.fc1.weight": 0.0, "mapping.w_avg": 0.0, "synthesis.b8.conv0.noise_const": 0.0,
        "synthesis.b4.const": 0.1, "synthesis.b4.conv1.weight": 0.1,
        "synthesis.b8.conv0.affine.bias": 0.2, "synthesis.b8.conv1.noise_strength": 0.3,
        "synthesis.b8.inject.weight": 0.3, "synthesis.b8.inject.gate": 0.3,
        "synthesis.b8.todetail.weight": 0.3,
        "synthesis.b16.tomask.weight": 0.5, "synthesis.b16.tophoto.weight": 0.5,
        "synthesis.b32.torgb.bias": 0.8,
    }  # fmt: skip
    for name, a in of_layer.items():
        torch.testing.assert_close(blended[name], (1 - a) * face[name] + a * toon[name])
    for name, p in blended.items():
        if name.startswith("synthesis.") and "noise_const" not in name:
            layer = name.split(".", 1)[1].rsplit(".weight")[0]
            a = weights.get(".".join(name.split(".")[1:3]), weights[layer.split(".")[0] + ".conv1"])
            torch.testing.assert_close(p, (1 - a) * face[name] + a * toon[name])


def test_whole_tensors_are_not_copied(face: State, toon: State) -> None:
    blended = blend(face, toon, BlendSpec(swap_resolution=16))
    for name, p in blended.items():
        low = name.startswith(("synthesis.b4.", "synthesis.b8.")) and "noise_const" not in name
        assert p is (toon if low else face)[name]


@pytest.mark.parametrize("quirk", [False, True])
def test_strength_zero_is_the_face_model(face: State, toon: State, quirk: bool) -> None:
    spec = BlendSpec(width=1.0, strength=0.0, published_quirk=quirk)
    assert all(p is face[name] for name, p in blend(face, toon, spec).items())


def test_inputs_stay_untouched_and_images_change(face: State, toon: State) -> None:
    before = {name: p.clone() for name, p in face.items()}
    blended = blend(face, toon, BlendSpec(width=1.0))
    assert all(torch.equal(p, face[name]) for name, p in before.items())
    generator = Generator(GeneratorConfig.from_state(face))
    z = torch.randn(1, 8, generator=torch.Generator().manual_seed(2))
    images = []
    for state in (face, blended, toon):
        generator.load_state_dict(state)
        images.append(generator(z))
    assert not torch.equal(images[0], images[1])
    assert not torch.equal(images[1], images[2])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"swap_resolution": 12}, "power of two"),
        ({"swap_resolution": 2048}, "power of two"),
        ({"level": "conv2"}, "level must be"),
        ({"low": "both"}, "low must be"),
        ({"width": -1.0}, "width must be"),
        ({"width": math.nan}, "width must be"),
        ({"strength": 1.5}, "strength must"),
        ({"strength": math.nan}, "strength must"),
        ({"weights": (0.0, 1.2)}, "weights must all"),
        ({"weights": (1.0, 0.0), "published_quirk": True}, "published_quirk needs"),
        ({"swap_resolution": None, "published_quirk": True}, "published_quirk needs"),
    ],
)
def test_a_spec_checks_itself(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(BlendError, match=sentence):
        BlendSpec(**changes)  # type: ignore[arg-type]


def test_a_spec_must_fit_the_resolution(face: State, toon: State) -> None:
    with pytest.raises(BlendError, match="8 at 32 px, not 14"):
        blend(face, toon, BlendSpec(weights=(1.0,) * 14))
    with pytest.raises(BlendError, match="64 lies above the models' 32 px"):
        blend(face, toon, BlendSpec(swap_resolution=64))


def test_models_that_do_not_fit_are_refused_by_tensor(face: State, toon: State) -> None:
    spec = BlendSpec()
    with pytest.raises(BlendError, match=r"synthesis\.b64\.conv0\.affine\.bias is in the toon"):
        blend(face, random_state(1, 64), spec)
    with pytest.raises(BlendError, match=r"mapping\.w_avg is \[8\] in the face model and \[4\]"):
        blend({"mapping.w_avg": face["mapping.w_avg"]}, {"mapping.w_avg": torch.zeros(4)}, spec)
    with pytest.raises(BlendError, match=r"mapping\.fc0\.weight is \[8, 8\] .* \[8, 4\]"):
        blend(face, random_state(1, z_dim=4), spec)
    with pytest.raises(BlendError, match=r"mapping\.fc2\.bias is in the toon model"):
        blend(face, random_state(1, mapping_layers=3), spec)
    with pytest.raises(BlendError, match="not a tensor of a StyleGAN2 generator"):
        blend({**face, "other": torch.zeros(1)}, {**toon, "other": torch.zeros(1)}, spec)
    with pytest.raises(BlendError, match="no synthesis layers"):
        blend({}, {}, spec)


def test_models_of_different_bases_are_refused(face: State, toon: State) -> None:
    stranger = {**toon, "mapping.w_avg": torch.randn(8, generator=torch.Generator().manual_seed(9))}
    with pytest.raises(BlendError, match=r"do not share a latent space.*mapping\.w_avg"):
        blend(face, stranger, BlendSpec())
    untrained = {**toon, "mapping.w_avg": torch.zeros(8)}
    assert blend(face, untrained, BlendSpec())


@pytest.mark.parametrize(
    ("spec", "shows"),
    [
        (BlendSpec(swap_resolution=None), True),
        (BlendSpec(swap_resolution=16, low="face"), True),
        (BlendSpec(swap_resolution=64, low="face"), False),  # the person's own place of the eyes
        (BlendSpec(swap_resolution=64, low="toon"), False),  # and their own look
        (BlendSpec(swap_resolution=None, strength=0.0), False),
    ],
)
def test_a_blend_shows_the_toons_eyes_or_the_persons(spec: BlendSpec, shows: bool) -> None:
    assert toon_draws_eyes(spec, 128) is shows
