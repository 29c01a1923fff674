"""A model on disk: encoder, face generator and toon generators in safetensors, and a card.

A bundle is a directory, or one uncompressed ZIP file of the same content (`NAME.toon`):

    card.json             what it is, how it was made, what may be done with it; hashes of all parts
    CARD.md               the same for people, written from card.json
    encoder.safetensors   absent in a model that still needs one
    face.safetensors      generator that draws people
    toon-STYLE.safetensors  one generator for each style

Loading checks every part against its hash and every tensor against the architecture in the card,
and never unpickles anything.
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn

from engines.blending import BlendSpec, blend, layer_weights, toon_draws_eyes
from engines.card import BundleError, Card, StyleError
from engines.catalogue import DEFAULT_BUNDLE
from engines.errors import reason
from engines.files import atomic_path
from engines.finish import PLAIN
from engines.networks.encoder import Encoder
from engines.networks.generator import Generator
from engines.networks.toon import ToonNetwork
from engines.text import plain

SUFFIX = ".toon"
MAX_PART_BYTES = 2 << 30
MAX_CARD_BYTES = 1 << 20
State = dict[str, Tensor]
_ZIP_ERRORS = (
    *(zipfile.BadZipFile, struct.error, RuntimeError, ValueError),  # RuntimeError: encrypted
    *(OverflowError, EOFError, OSError),
)


@dataclass(frozen=True)
class Bundle:
    """An installable model in memory.

    Attributes:
        card: its card.
        encoder: state dict of the `Encoder`, or None.
        face: state dict of the face `Generator` (neutral names).
        toons: style name -> state dict of a toon `Generator`.
    """

    card: Card
    face: State
    toons: Mapping[str, State]
    encoder: State | None = None

    @property
    def styles(self) -> tuple[str, ...]:
        """Names of the styles, the default first."""
        return tuple(self.card.styles)

    def check(
        self, style: str | None = None, swap: int | None = None, *, spec: BlendSpec | None = None
    ) -> None:
        """Raises what `network` would, without building it."""
        if self.encoder is None or self.card.encoder is None:
            raise BundleError(
                f"{self.card.name} has generators but no encoder, so it cannot turn a picture into "
                f"a toon yet; give it one with 'toonify train refit'."
            )
        self._resolve(style, swap, spec)

    def _resolve(
        self, style: str | None, swap: int | None, spec: BlendSpec | None
    ) -> tuple[str, BlendSpec]:
        """Name and blend of a style; the card's defaults for what is not given."""
        name = self.styles[0] if style is None and self.styles else style
        if name is None or name not in self.toons:
            raise StyleError(
                f"{self.card.name} has no style {name!r}; choose one of "
                f"{', '.join(self.styles) or '(none)'}."
            )
        spec = spec or self.card.styles[name].blend
        if swap is not None:
            spec = replace(spec, swap_resolution=swap)
        layer_weights(spec, self.card.generator.resolution)
        return name, spec

    def generator(self, style: str | None = None, spec: BlendSpec | None = None) -> Generator:
        """The generator of `style` blended by `spec` (None: the card's defaults).

        Raises:
            StyleError: when there is no such style.
            SpecError: when the blend does not fit its resolution.
        """
        name, spec = self._resolve(style, None, spec)
        state = blend(self.face, self.toons[name], spec)
        return _fill(Generator, self.card.generator, state)

    def network(
        self, style: str | None = None, swap: int | None = None, *, spec: BlendSpec | None = None
    ) -> ToonNetwork:
        """The runnable network of a style, in evaluation mode and FP32.

        Args:
            style: one of `styles`; None for the first.
            swap: resolution at which the mix switches, 4 to 1024; None for the blend's own.
            spec: the blend of the two generators; None for the style's own.

        Raises:
            StyleError: when there is no such style.
            SpecError: when the blend does not fit its resolution.
            BundleError: when the model has no encoder.
        """
        self.check(style, swap, spec=spec)
        assert self.encoder is not None
        encoder = _fill(Encoder, self.card.encoder, self.encoder)
        name, spec = self._resolve(style, swap, spec)
        label = "-".join((self.card.name, name, *([f"swap{swap}"] if swap else ())))
        whole = toon_draws_eyes(spec, self.card.generator.resolution)
        finish = self.card.styles[name].finish if whole else PLAIN
        return ToonNetwork(encoder, self.generator(name, spec), label, finish)

    def save(self, path: Path | str) -> Bundle:
        """Write to a directory, or to one file if `path` ends in `.toon`; atomic.

        Floating-point tensors are stored in FP16. Returns the bundle with its card's hashes.

        Raises:
            BundleError: when `path` is a folder that holds something else than a bundle.
            WriteError: when it cannot be written.
        """
        path = Path(path)
        files = {"face.safetensors": _pack(self.face)}
        if self.encoder is not None:
            files["encoder.safetensors"] = _pack(self.encoder)
        for name, state in self.toons.items():
            files[f"toon-{name}.safetensors"] = _pack(state)
        parts = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
        card = replace(self.card, parts=parts)
        files["card.json"] = card.to_json().encode()
        files["CARD.md"] = card.to_markdown().encode()
        with atomic_path(path) as part:
            if path.suffix == SUFFIX:
                with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
                    for name, data in files.items():
                        archive.writestr(zipfile.ZipInfo(name), data)
            else:
                part.mkdir()
                for name, data in files.items():
                    (part / name).write_bytes(data)
                if path.is_dir():  # a directory cannot be replaced by a rename while it has content
                    check_place(path)
                    path.rename(part.with_name("old"))
        return replace(self, card=card)

    @classmethod
    def load(cls, path: Path | str) -> Bundle:
        """Read and check a bundle.

        Raises:
            BundleError: with what is wrong: no bundle there, a part missing or altered, a tensor
                that does not fit the card.
        """
        read = _reader(path := Path(path))
        try:
            card = Card.from_json(read("card.json", MAX_CARD_BYTES).decode())
        except UnicodeDecodeError as error:
            raise BundleError(f"{path}: card.json is not text; fetch the model again.") from error
        except BundleError as error:
            said = str(error).removeprefix(f"{path}: ")
            raise BundleError(said if said.startswith(str(path)) else f"{path}: {said}") from error
        wanted = {"face.safetensors", *(f"toon-{name}.safetensors" for name in card.styles)}
        wanted |= {"encoder.safetensors"} if card.encoder else set()
        if wanted != set(card.parts):
            raise BundleError(
                f"{path}: the card lists the parts {sorted(card.parts)!s:.300}, but its "
                f"styles need {sorted(wanted)!s:.300}; fetch the model again."
            )
        states = {}
        for name, digest in card.parts.items():
            data = read(name, MAX_PART_BYTES)
            if (found := hashlib.sha256(data).hexdigest()) != digest:
                raise BundleError(
                    f"{path}: {name} was altered or damaged (sha256 {found[:12]}… instead of "
                    f"{plain(digest, 12)}); fetch the model again."
                )
            try:
                state = load_safetensors(data)
            except (SafetensorError, KeyError) as error:  # KeyError: numbers torch does not have
                why = plain(error)
                raise BundleError(f"{path}: {name} is not a safetensors file ({why}).") from error
            states[name] = {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
        encoder = states.pop("encoder.safetensors", None)
        if encoder is not None and card.encoder is not None:
            _check_state(path, "encoder.safetensors", encoder, Encoder, card.encoder)
        for name, state in states.items():
            _check_state(path, name, state, Generator, card.generator)
        toons = {name: states[f"toon-{name}.safetensors"] for name in card.styles}
        return cls(card, states["face.safetensors"], toons, encoder)


def _fill(kind: type[Any], config: Any, state: State) -> Any:
    """A module of `kind` that uses the tensors of `state` without copying them."""
    with torch.device("meta"):
        module: nn.Module = kind(config)
    module.load_state_dict(state, strict=True, assign=True)
    for name, buffer in module.named_buffers():
        if buffer.is_meta:  # constants that are derived, not stored
            owner = module.get_submodule(name.rpartition(".")[0])
            owner.rebuild_constants()  # type: ignore[operator]
    return module.eval().requires_grad_(False)


def _pack(state: State) -> bytes:
    half = {
        k: (v.detach().half() if v.is_floating_point() else v.detach()).contiguous()
        for k, v in state.items()
    }
    return save_safetensors(half)


def _reader(path: Path) -> Callable[[str, int], bytes]:
    """A function from part name and most bytes to the part; nothing else is ever touched."""
    if path.is_dir():

        def read_file(name: str, most: int) -> bytes:
            if not (path / name).is_file():
                raise BundleError(f"{path} was expected to hold {name}, which is missing.")
            try:
                if (path / name).stat().st_size > most:
                    raise BundleError(f"{path}: {name} is larger than {most} bytes.")
                return (path / name).read_bytes()
            except OSError as error:
                raise BundleError(f"{path / name} cannot be read: {reason(error)}.") from error

        return read_file
    if not path.is_file():
        raise BundleError(
            f"There is no model at {path}; 'toonify models list' shows what is installed."
        )

    def read_member(name: str, most: int) -> bytes:
        try:
            with zipfile.ZipFile(path) as archive:
                info = archive.getinfo(name)
                if info.compress_type != zipfile.ZIP_STORED or info.file_size > most:
                    raise BundleError(f"{path}: {name} is compressed or larger than {most} bytes.")
                return archive.read(info)
        except KeyError:
            raise BundleError(f"{path} was expected to hold {name}, which is missing.") from None
        except _ZIP_ERRORS as error:
            raise BundleError(f"{path} is not a model file ({plain(error, 200)}).") from error

    return read_member


def check_place(path: Path) -> None:
    """Refuse (`BundleError`) a folder of other things, which saving a bundle would replace."""
    if path.is_dir() and any(path.iterdir()) and not (path / "card.json").is_file():
        raise BundleError(f"{path} holds something else than a model; choose another place.")


def _check_state(path: Path, part: str, state: State, kind: type[Any], config: Any) -> None:
    with torch.device("meta"):
        expected = kind(config).state_dict()
    for name in sorted(expected.keys() | state.keys()):
        if name not in state or name not in expected:
            where = "is missing from" if name not in state else "does not belong in"
            raise BundleError(f"{path}: {plain(name, 99)} {where} {part}, as the card has it.")
        if state[name].shape != expected[name].shape:
            raise BundleError(
                f"{path}: {name} in {part} is {list(state[name].shape)!s:.99}, but the card's "
                f"architecture has {list(expected[name].shape)}."
            )
        if state[name].is_floating_point() != expected[name].is_floating_point():
            raise BundleError(f"{path}: {name} in {part} holds numbers of another kind.")
        if state[name].is_floating_point() and not torch.isfinite(state[name]).all():
            raise BundleError(f"{path}: {name} in {part} holds infinite or undefined numbers.")


def shipped_bundle(name: str = DEFAULT_BUNDLE) -> Path:
    """Where a model that comes with the package lies; see `engines.catalogue.SHIPPED`."""
    return Path(__file__).parent / "catalogue" / name


def default_bundle() -> Bundle:
    """The model that runs where none is named."""
    return Bundle.load(shipped_bundle())
