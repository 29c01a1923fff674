"""What the panel says about a run, ready for JSON."""

from __future__ import annotations

import time
from typing import Any

from realtime.addresses import redacted
from realtime.faces.face import TrackedFace
from realtime.guard import Output
from realtime.live.desk import Desk
from realtime.live.people import People
from realtime.settings import EYE_SIZES, GUARD_MODES, MODES

SILENCE = 2.0  # seconds without a picture of a live source after which the panel says so
STAGES = ("track", "stylize", "finish", "paste", "guard", "search", "refresh", "watch")


def switches(desk: Desk) -> dict[str, Any]:
    """What only changes when somebody changes it."""
    controls, session = desk.controls, desk.session
    blend, engine = controls.blend, session.stylizer.engine
    source = desk.source.settings if desk.source else desk.settings.source
    recording = desk.recorder.path
    return {
        "toon": controls.toon,
        "panic": controls.guard.panic,
        "mirror": controls.mirror,
        "strength": controls.strength,
        "eyes": controls.eyes if session.bundle.card.generator.gives_plan else None,
        "eye_sizes": EYE_SIZES,
        "childlike": controls.childlike if _reshaped(desk) else None,
        "paint_room": controls.paint_room,
        "region": controls.region,
        "regions": MODES,
        "guard": controls.guard.mode,
        "guards": GUARD_MODES,
        "faces": controls.faces,
        "most_faces": controls.most_faces,
        "style": blend.style,
        "styles": [
            {"name": name, "about": session.bundle.card.styles[name].description}
            for name in session.bundle.styles
        ],
        "swap": blend.swap,
        "swaps": sorted(controls.swaps, key=lambda swap: swap or 1 << 20, reverse=True),
        "low": blend.low or session.bundle.card.styles[blend.style].blend.low,
        "building": controls.building,
        "refused": controls.refused,
        "kept": {
            "count": session.blends.count,
            "most": session.blends.most,
            "memory": session.blends.memory,
        },
        "model": session.bundle.card.title or session.bundle.card.name,
        "engine": {"name": engine.name, "device": engine.device, "precision": engine.precision},
        "recording": str(recording) if recording else None,
        "source": redacted(source.source),
        "size": source.size,
        "output_size": desk.pipeline.size,
        "can_change": desk.source is not None,
        "changing": redacted(desk.source.changing) if desk.source else "",
        "sinks": [{"target": target, "failed": failed} for target, failed in desk.sinks],
    }


def numbers(desk: Desk) -> dict[str, Any]:
    """What changes all the time. Times in milliseconds, medians of the last few frames."""
    statistics, guard = desk.pipeline.statistics, desk.controls.guard
    lost = _lost(desk)
    faces = () if lost else desk.pipeline.faces
    return {
        "fps": round(statistics.sent.recent(), 1),
        "latency": round(statistics.latency.usual() * 1e3),
        "stages": {name: round(statistics.stages[name].usual() * 1e3, 1) for name in STAGES},
        "reason": guard.reason if guard.mode != "pass" and not lost else "",
        "lost": lost,
        "hints": sorted({hint for face in faces for hint in face.hints}),
        "faces": len(faces),
    }


def _lost(desk: Desk) -> str:
    """That a live source gives no pictures, as a sentence; empty if it does."""
    captured = desk.pipeline.statistics.captured
    if desk.source is None or captured.silent(time.monotonic()) <= SILENCE:
        return ""
    return f"No picture comes from {redacted(desk.source.name)}; it is waited for."


def picture(desk: Desk, output: Output) -> dict[str, Any]:
    """What belongs to one picture: how it was made, and who is in it."""
    people = desk.controls.people
    seen = [face for face in desk.pipeline.faces if face.age_frames == 0]
    frame = output.before
    if frame is None or people is None:
        return {"kind": output.kind, "people": []}
    inner, outer = (frame.shape[1], frame.shape[0]), output.image.shape[1::-1]
    return {
        "kind": output.kind,
        "people": [_person(people, face, inner, outer) for face in seen],
    }


def _reshaped(desk: Desk) -> bool:
    """Whether any style of the model has other shapes than its network draws."""
    session = desk.session
    wished = desk.settings.compositing.reshape and session.bundle.card.generator.gives_plan
    styles = session.bundle.card.styles
    return wished and any(styles[name].finish.reshaped for name in session.bundle.styles)


def _person(
    people: People, face: TrackedFace, inner: tuple[int, int], outer: tuple[int, int]
) -> dict[str, Any]:
    """A face: its box as shares (left, top, width, height) of the picture, and what was chosen."""
    scale = min(outer[0] / inner[0], outer[1] / inner[1])  # as `realtime.frame.fit` does
    left, top = ((outer[i] - inner[i] * scale) / 2 for i in (0, 1))
    x0, y0, x1, y1 = (float(value) * scale for value in face.box)
    box = [
        (left + x0) / outer[0],
        (top + y0) / outer[1],
        (x1 - x0) / outer[0],
        (y1 - y0) / outer[1],
    ]
    choice = people.choice(face.identity)
    return {
        "id": face.identity,
        "box": [round(share, 4) for share in box],
        "style": choice.style,
        "strength": choice.strength,
        "bare": choice.bare,
    }
