"""Model, engine, tracker and stylizer, made ready as the settings say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from engines.backends import Engine
from engines.backends.registry import create_engine
from engines.backends.remote.engine import FILE_DEADLINE, LIVE_DEADLINE, RemoteEngine
from engines.bundle import Bundle
from engines.catalogue.models import find_bundle
from engines.faces.calibration import crops_for
from engines.say import Say
from realtime.controls import Controls
from realtime.faces.tracker import FaceTracker
from realtime.guard import Guard, Output
from realtime.live.blends import Blend, Blends
from realtime.live.people import People
from realtime.observe import LOOKOUTS, Observer
from realtime.pipeline import Pipeline
from realtime.settings import EngineSettings, Settings, check_settings
from realtime.sinks import Sink
from realtime.sources import Source
from realtime.strangers import StrangerDetector
from realtime.stylizer import Stylizer
from realtime.toons.shapes.reshape import EYES_UNKNOWN

if TYPE_CHECKING:
    from realtime.stages import Stylizer as AnyStylizer
    from realtime.stages import Window


def find_chosen(chosen: EngineSettings) -> Bundle:
    """The model that the settings name, once it is known to have their style and swap resolution.

    Raises:
        UsageError: there is no such style or resolution.
        BundleError: there is no such model, or it cannot be used.
    """
    bundle = find_bundle(chosen.model)
    bundle.check(chosen.style, chosen.swap)
    return bundle


def quiet(_: str) -> None:
    """Say nothing: the back end was named when the run began."""


class Session:
    """The heart of a run; a context manager that frees device and threads.

    Args:
        settings: everything that the user may set.
        say: called with each message for the user, by default in runs of this session too.
        bundle: an already loaded model instead of the one that `settings.engine.model` names.
        stills: most faces made toons in a single picture; None for as many as in a stream.

    Raises:
        ToonifyError: when something cannot be used; its sentence says what.
    """

    def __init__(
        self,
        settings: Settings,
        say: Say,
        bundle: Bundle | None = None,
        *,
        stills: int | None = None,
    ) -> None:
        check_settings(settings)
        self.settings = settings
        self.say = say
        chosen = settings.engine
        self.bundle = bundle or find_bundle(chosen.model)
        self.bundle.check(chosen.style, chosen.swap)
        if settings.compositing.eyes != 1 and not self.bundle.card.generator.gives_plan:
            say(EYES_UNKNOWN)
        style = chosen.style or self.bundle.styles[0]
        self._drawn = first = self._plain(Blend(style, chosen.swap, chosen.low))
        self._live = False  # whether the newest run is
        self.engine = self._make(first, chosen.backend, say)
        backend = self.engine.name if chosen.backend == "auto" else chosen.backend
        self.blends = Blends(
            first, self.engine, lambda blend: self._make(blend, backend, quiet), self._weigh
        )
        self._stills = stills or settings.faces.max_faces
        self.tracker = FaceTracker(settings.faces, stills=self._stills)
        self.strangers = StrangerDetector(settings.guard.linger)
        self.stylizer = Stylizer(self.engine, settings.compositing, settings.faces.max_faces)
        self.still_stylizer = Stylizer(self.engine, settings.compositing, self._stills)

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

    def guard(self, size: tuple[int, int], *, still: bool = False) -> Guard:
        """A guard for pictures of `size` (width, height).

        Args:
            still: for one single picture, which has nothing to look ahead to.
        """
        settings = self.settings
        rules = replace(settings.guard, look_ahead=0) if still else settings.guard
        most = self._stills if still else settings.faces.max_faces
        return Guard(settings.guard_mode(), rules, size, most)

    def reset(self) -> None:
        """Forget all that was seen; the next frame belongs to another stream."""
        self.tracker.reset()
        self.stylizer.reset()
        self.strangers.reset()

    def observer(self, guard: Guard, *, still: bool = False) -> Observer:
        """An `Observer` for frames handled in one thread. Failures of parts that look for strangers
        are reported while the guard hides the picture; other failures are raised.

        Args:
            still: for single pictures.
        """
        return Observer(
            self.tracker,
            self.still_stylizer if still else self.stylizer,
            guard,
            self.say,
            strangers=self.strangers,
            tolerated=LOOKOUTS,
        )

    def pipeline(
        self,
        source: Source,
        sinks: Sequence[Sink],
        controls: Controls | None = None,
        *,
        say: Say | None = None,
        stylizer: AnyStylizer | None = None,
        green: bool = False,
        window: Window | None = None,
        on_output: Callable[[Output], None] | None = None,
    ) -> Pipeline:
        """A run from `source` to `sinks`, in real time if the source is live.

        Args:
            source: where frames come from; its size is that of the pictures.
            sinks: where pictures go.
            controls: the switches, with the guard; None makes them for this run.
            say: called with each message for the user; None for the session's own.
            stylizer: draws instead of the session's engine. It shares no cores with the rest, and
                strangers are not watched for: this measures what the loop costs by itself.
            green: sinks get the toons on green instead of the whole picture.
            window: served from the main thread; given the untooned picture too.
            on_output: called with every picture that went out.
        """
        say = say or self.say
        controls = controls or self.controls(self.guard(source.size), say)
        self.reset()
        self._live = source.live
        self._set_deadline(self.engine)
        return Pipeline(
            source,
            self.tracker,
            stylizer or self.stylizer,
            sinks,
            controls,
            say,
            rate=source.rate,
            paced=source.live,
            green=green,
            strangers=None if stylizer else self.strangers,
            shared=self.shared and stylizer is None,
            moves=self.settings.compositing.move,
            cpu=self.settings.engine.cpu,
            window=window,
            about=self.about,
            on_output=on_output,
        )

    def controls(self, guard: Guard, say: Say | None = None) -> Controls:
        """The switches of a run with this session; `say` as for `pipeline`."""
        style = self.settings.engine.style or self.bundle.styles[0]
        first = self.bundle.styles.index(style)
        resolutions = [r for r in (8, 16, 32, 64) if r <= self.bundle.card.generator.resolution]
        swap, low = self.settings.engine.swap, self.settings.engine.low
        others = [other for other in (None, *resolutions) if other != swap]

        def engine(style: str) -> Engine:
            """One person's engine, in everybody's swap."""
            return self._take(self._plain(made.blend._replace(style=style)), people)

        people = People(guard, self.stylizer, engine)
        made = Controls(
            guard,
            self.stylizer,
            say or self.say,
            styles=[*self.bundle.styles[first:], *self.bundle.styles[:first]],
            swaps=[swap, *others],
            low=low,
            switch=lambda blend: self._switch(blend, people),
            mirror=self.settings.source.mirror,
            people=people,
        )
        return made

    def _switch(self, blend: Blend, people: People) -> None:
        """Draw another blend; frames go on with the old one until the new one is ready."""
        blend = self._plain(blend)
        self.engine = self._take(blend, people)
        self.stylizer.engine = self.still_stylizer.engine = self.engine
        self._drawn = blend

    def _take(self, blend: Blend, people: People) -> Engine:
        """The engine of a plain blend, built if need be, as the run wants it."""
        own = [by._replace(style=style) for style in people.styles for by in (blend, self._drawn)]
        engine = self.blends.take(blend, [self._drawn, *own])
        self._set_deadline(engine)
        return engine

    def _set_deadline(self, engine: Engine) -> None:
        """A server has less time to answer in a live run."""
        if isinstance(engine, RemoteEngine):
            engine.deadline = LIVE_DEADLINE if self._live else FILE_DEADLINE

    def _plain(self, blend: Blend) -> Blend:
        """The same blend, with None for what is the style's own or changes nothing."""
        own = self.bundle.card.styles[blend.style].blend
        swap = None if blend.swap == own.swap_resolution else blend.swap
        idle = blend.low == own.low or (blend.swap or own.swap_resolution) is None
        return Blend(blend.style, swap, None if idle else blend.low)

    def _make(self, blend: Blend, backend: str, say: Say) -> Engine:
        chosen = self.settings.engine
        spec = self.bundle.card.styles[blend.style].blend
        spec = replace(spec, low=blend.low or spec.low)
        network = self.bundle.network(blend.style, blend.swap, spec=spec)
        self._weights = sum(tensor.numel() for tensor in network.state_dict().values())
        return create_engine(
            network,
            backend,
            precision=chosen.precision,
            max_batch=self.settings.faces.max_faces,
            say=say,
            calibration=crops_for(chosen.precision, network.input_size, chosen.calibration),
        )

    def _weigh(self, engine: Engine) -> int:
        """Bytes that an engine's weights take."""
        return self._weights * {"fp32": 4, "int8": 1}.get(engine.precision, 2)

    def close(self) -> None:
        """Free everything."""
        self.strangers.close()
        self.tracker.close()
        self.blends.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def use_session(
    settings: Settings, say: Say, *, bundle: Bundle | None = None, session: Session | None = None
) -> Iterator[Session]:
    """`session` as it is, if there is one; else one made for the body of a `with`."""
    if session:
        yield session
        return
    with Session(settings, say, bundle) as made:
        yield made
