"""What kind of person is drawn: age, build, beard, tone, expression, as soft numbers."""

from __future__ import annotations

from dataclasses import dataclass

from engines.training.artist3d.colour import rise


@dataclass(frozen=True)
class About:
    """What can be said of a person from a photo at a glance.

    Attributes:
        age: years.
        male: 0..1.
        glasses: 0..1, spectacles or sunglasses.
        beard: 0 none, 1 stubble, 2 moustache or short beard, 3 full beard.
        tone: L* (0..100) of the skin in even light: 77 very pale, 60 tan, 46 brown, 32 very dark.
    """

    age: float
    male: float
    glasses: float
    beard: float
    tone: float


@dataclass(frozen=True)
class Traits:
    """`About` and the expression, as the drawing uses them; 0..1 unless said otherwise."""

    child: float
    male: float
    old: float
    age: float  # years
    beard: float  # 0..3
    tone: float  # L*
    glasses: float
    smile: float
    mouth_open: float
    looks_down: float


def traits_of(about: About, blendshapes: dict[str, float], glasses: float) -> Traits:
    """Soft traits from a glance and MediaPipe's blendshape scores (0..1 by name)."""

    def both(name: str) -> float:
        return (blendshapes.get(f"{name}Left", 0.0) + blendshapes.get(f"{name}Right", 0.0)) / 2

    child = float(rise(16, 9, about.age))
    return Traits(
        child=child,
        male=float(rise(0.15, 0.85, about.male)) * (1 - child),
        old=float(rise(48, 66, about.age)),
        age=about.age,
        beard=about.beard * (1 - child),
        tone=about.tone,
        glasses=glasses,
        smile=float(rise(0.15, 0.8, both("mouthSmile"))),
        mouth_open=float(rise(0.1, 0.5, blendshapes.get("jawOpen", 0.0))),
        looks_down=float(rise(0.35, 0.75, both("eyeLookDown"))),
    )
