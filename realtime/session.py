"""Model, engine, tracker and stylizer, made ready as the settings say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engines.backends.registry import create_engine
from engines.blending import BlendSpec
from engines.bundle import Bundle
from engines.catalogue.models import find_bundle
from engines.faces.calibration import crops_for
from realtime.controls import Controls
from realtime.faces.tracker import FaceTracker
from realtime.guard import Guard
from realtime.settings import EngineSettings, Settings, SettingsError
from realtime.sources import Report
from realtime.stylizer import Stylizer
from realtime.watch import FaceWatch

if TYPE_CHECKING:
    from types import TracebackType

    from engines.networks.toon import ToonNetwork


def find_chosen(chosen: EngineSettings) -> Bundle:
    """The bundle that the settings name; refuses, before anything is begun, a style or a swap
    resolution that it does not have. Raises `UsageError`, `BundleError`."""
    bundle = find_bundle(chosen.bundle)
    bundle.check(chosen.style, blend_of(bundle, chosen.style, chosen.swap))
    return bundle


def network_of(bundle: Bundle, style: str | None, swap: int | None) -> ToonNetwork:
    """What draws a style of a bundle, with another swap resolution unless `swap` is None.

    Raises `UsageError` for a style or a resolution that the bundle does not have.
    """
    return bundle.network(style, blend_of(bundle, style, swap))


def blend_of(bundle: Bundle, style: str | None, swap: int | None) -> BlendSpec | None:
    """The card's blend of a style with another swap resolution; None for the card's own."""
    if swap is None:
        return None
    chosen = bundle.card.styles.get(style or bundle.styles[0])
    return replace(chosen.blend, swap_resolution=swap) if chosen else None


def check_settings(settings: Settings) -> None:
    """Refuse what would break the guard's promise. Raises `SettingsError`."""
    mode, strength = settings.guard_mode(), settings.compositing.strength
    if mode != "pass" and strength < 1:
        raise SettingsError(
            f"compositing.strength {strength} shows some of the real face, which guard {mode!r} "
            "never lets out; use strength 1 or --guard pass."
        )


class Session:
    """The heart of a run; a context manager that frees device and threads.

    bundle: an already loaded one instead of what `settings.engine.bundle` names.
    """

    def __init__(self, settings: Settings, report: Report, bundle: Bundle | None = None) -> None:
        check_settings(settings)
        self.settings = settings
        chosen = settings.engine
        self.bundle = bundle or find_bundle(chosen.bundle)
        network = network_of(self.bundle, chosen.style, chosen.swap)
        self.engine = create_engine(
            network,
            chosen.backend,
            precision=chosen.precision,
            max_batch=settings.faces.max_faces,
            report=report,
            calibration=crops_for(chosen.precision, network.input_size, chosen.calibration),
        )
        self.tracker = FaceTracker(settings.faces)
        self.watch = FaceWatch(settings.guard.linger)
        self.stylizer = Stylizer(
            self.engine, settings.compositing, max_faces=settings.faces.max_faces
        )

    @property
    def shared(self) -> bool:
        """Whether the engine computes on the cores on which all else runs."""
        return self.engine.device.lower().startswith("cpu")

    @property
    def about(self) -> dict[str, object]:
        """What runs, for reports."""
        engine = self.engine
        return {
            "model": self.bundle.card.name,
            "style": self.settings.engine.style or self.bundle.styles[0],
            "engine": engine.name,
            "device": engine.device,
            "precision": engine.precision,
        }

    def guard(self, size: tuple[int, int], *, look_ahead: bool = True) -> Guard:
        """A guard for pictures of `size` (width, height); stills have nothing to look ahead to."""
        settings = self.settings
        rules = settings.guard if look_ahead else replace(settings.guard, look_ahead=0)
        return Guard(settings.guard_mode(), rules, size, settings.faces.max_faces)

    def controls(self, guard: Guard, report: Report) -> Controls:
        """The switches of a run with this session."""
        style = self.settings.engine.style or self.bundle.styles[0]
        first = self.bundle.styles.index(style)
        resolutions = [r for r in (8, 16, 32, 64) if r <= self.bundle.card.generator.resolution]
        swap = self.settings.engine.swap
        others = [other for other in (None, *resolutions) if other != swap]
        return Controls(
            guard,
            self.stylizer,
            report,
            styles=[*self.bundle.styles[first:], *self.bundle.styles[:first]],
            swaps=[swap, *others],
            switch=self.switch,
            mirror=self.settings.source.mirror,
        )

    def switch(self, style: str | None, swap: int | None) -> None:
        """Draw another style or swap; frames go on with the old one until the new is ready."""
        self.engine.update(network_of(self.bundle, style, swap))

    def close(self) -> None:
        """Free everything."""
        self.watch.close()
        self.tracker.close()
        self.engine.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
