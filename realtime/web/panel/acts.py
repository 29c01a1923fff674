"""What the panel may ask for: a name and a value from the browser, checked before anything is done.

Every act is one of two kinds: those that count from the next frame on are done at once; those that
open, write or build something are done beside, so that panic never waits for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engines.errors import UsageError
from realtime.live.desk import Desk
from realtime.live.people import People
from realtime.settings import SourceSettings, require_share
from realtime.toons.shapes.reshape import EYES_UNKNOWN

Act = Callable[[Desk, Any], str | None]
"""Does something with a value; returns a sentence for the user, or nothing."""


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"Expected true or false, not {value!r:.40}.")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"Expected a number, not {value!r:.40}.")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 1000:
        raise UsageError("Expected a word or a path.")
    return value.strip()


def _people(desk: Desk) -> People:
    if desk.controls.people is None:
        raise UsageError("Single people cannot be chosen in this run.")
    return desk.controls.people


def _style(desk: Desk, value: Any) -> None:
    desk.controls.set_blend(desk.controls.blend._replace(style=_text(value)))


def _swap(desk: Desk, value: Any) -> None:
    swap = None if value is None else int(_number(value))
    desk.controls.set_blend(desk.controls.blend._replace(swap=swap))


def _low(desk: Desk, value: Any) -> None:
    desk.controls.set_blend(desk.controls.blend._replace(low=value))


def _source(desk: Desk, value: Any) -> str:
    size = value.get("size") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not (size is None or (isinstance(size, list))):
        raise UsageError("Expected a source and a size.")
    wanted = (int(_number(size[0])), int(_number(size[1]))) if size and len(size) == 2 else None
    source = _text(value.get("source"))
    if wanted:
        SourceSettings(source, wanted)  # refuses what no camera can have
    return desk.change_source(source, wanted)


def _eyes(desk: Desk, value: Any) -> None:
    if not desk.session.bundle.card.generator.gives_plan:
        raise UsageError(EYES_UNKNOWN)
    desk.controls.set_eyes(_number(value))


def _person_style(desk: Desk, value: Any) -> None:
    style = value.get("style")
    if style is not None and style not in desk.controls.styles:
        raise UsageError(f"This model has no style {style!r:.40}.")
    _people(desk).set_style(_who(desk, value), style)
    desk.controls.changed()


def _person_strength(desk: Desk, value: Any) -> None:
    strength = value.get("strength")
    if strength is not None:
        require_share(_number(strength), "The strength")
    _people(desk).set_strength(_who(desk, value), strength)


def _person_leave(desk: Desk, value: Any) -> str:
    bare = _people(desk).leave(_who(desk, value))
    desk.controls.changed()
    if bare:
        desk.say("A person is left as they are: their real face goes out.")
        return "This real face goes out now, until they leave the picture."
    return "Their real face would go out. Ask again to do it."


def _person_reset(desk: Desk, value: Any) -> None:
    _people(desk).reset(_who(desk, value))
    desk.controls.changed()


def _who(desk: Desk, value: Any) -> int:
    identity = value.get("id") if isinstance(value, dict) else None
    if not isinstance(identity, int) or identity not in {f.identity for f in desk.pipeline.faces}:
        raise UsageError("This person is not in the picture any more.")
    return identity


AT_ONCE: dict[str, Act] = {
    "panic": lambda desk, value: desk.controls.set_panic(_truth(value)),
    "toon": lambda desk, value: desk.controls.set_toon(_truth(value)),
    "mirror": lambda desk, value: desk.controls.set_mirror(_truth(value)),
    "strength": lambda desk, value: desk.controls.set_strength(_number(value)),
    "eyes": _eyes,
    "childlike": lambda desk, value: desk.controls.set_childlike(_number(value)),
    "paint-room": lambda desk, value: desk.controls.set_paint_room(_truth(value)),
    "region": lambda desk, value: desk.controls.set_region(value),
    "guard": lambda desk, value: desk.controls.set_guard(value),
    "faces": lambda desk, value: desk.controls.set_faces(int(_number(value))),
    "style": _style,
    "swap": _swap,
    "low": _low,
    "person-strength": _person_strength,
    "person-leave": _person_leave,
    "person-reset": _person_reset,
}
BESIDE: dict[str, Act] = {
    "snapshot": lambda desk, _: desk.snapshot(),
    "record": lambda desk, _: desk.record(),
    "save": lambda desk, _: desk.save(),
    "source": _source,
    "add-sink": lambda desk, value: desk.add_sink(_text(value)),
    "remove-sink": lambda desk, value: desk.remove_sink(_text(value)),
    "person-style": _person_style,
}
