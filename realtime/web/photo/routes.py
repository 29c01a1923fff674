"""The addresses of the page to try.

GET  /                              the page
GET  /about                         what there is to choose from, as JSON
POST /toon?style=&swap=&strength=&eyes=&childlike=
                                    a photo's bytes in, its toon's out; what was found is in the
                                    header `Toonify-Found`, as JSON
GET  /character?seed=&truncation=&other=&mix=&style=    a random character
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from engines.bundle import Bundle
from engines.errors import ToonifyError, UsageError
from engines.faces.people import PEOPLE_FOLDER, people
from realtime.settings import EYE_SIZES
from realtime.web.pages import assets, page, refuse
from realtime.web.photo.desk import BusyError, Desk, GoneError, SlowError
from realtime.web.photo.maker import MOST_PIXELS, PhotoMaker
from realtime.web.photo.portraits import Portraits

T = TypeVar("T")
ASSETS = Path(__file__).parent / "assets"
MOST_BYTES = 25_000_000
DRAIN = 4  # so many times that much is read and thrown away, so that the refusal arrives
STATUS: Sequence[tuple[type[ToonifyError], int]] = ((BusyError, 503), (SlowError, 504))


class PhotoPage:
    """The page to try.

    Args:
        bundle: the model.
        maker: draws photos, or the sentence that says why it cannot.
        portraits: draws random characters, or the sentence that says why it cannot.
        desk: where it is done.
    """

    def __init__(
        self, bundle: Bundle, maker: PhotoMaker | str, portraits: Portraits | str, desk: Desk
    ) -> None:
        self._bundle, self._maker, self._portraits, self._desk = bundle, maker, portraits, desk
        self.routes: list[BaseRoute] = [
            Route("/", page(ASSETS / "index.html")),
            assets("/photo", ASSETS),
            assets("/people", PEOPLE_FOLDER),
            Route("/about", self._tell),
            Route("/toon", self._toon, methods=["POST"]),
            Route("/character", self._character),
        ]

    async def _tell(self, _: Request) -> Response:
        maker, portraits = self._maker, self._portraits
        card = self._bundle.card
        about = {
            "model": card.name,
            "styles": {name: style.description for name, style in card.styles.items()},
            "own": {name: style.blend.swap_resolution for name, style in card.styles.items()},
            "resolution": card.generator.resolution,
            "people": [f"/people/{path.name}" for path in people()],
            "mostBytes": MOST_BYTES,
            "mostPixels": MOST_PIXELS,
            "noPhotos": maker if isinstance(maker, str) else None,
            "noCharacters": portraits if isinstance(portraits, str) else None,
        }
        if isinstance(maker, PhotoMaker):
            chosen = maker.session.settings.engine
            about |= {
                "engine": "{engine}, {device}, {precision}".format(**maker.session.about),
                "style": chosen.style or self._bundle.styles[0],
                "swap": chosen.swap,
                "swaps": maker.swaps,
                "strength": maker.strength,
                "eyes": maker.eyes if card.generator.gives_plan else None,
                "eyeSizes": EYE_SIZES,
                "childlike": maker.childlike,
                "reshaped": maker.reshaped,
            }
        return JSONResponse(about)

    async def _toon(self, request: Request) -> Response:
        maker = self._maker
        if isinstance(maker, str):
            return refuse(409, maker)
        data = await _body(request)
        if data is None:
            return refuse(
                413, f"The file has more than {MOST_BYTES / 1e6:.0f} MB; make it smaller first."
            )
        query = request.query_params

        def answer() -> Response:
            strength, eyes, childlike = (
                _number(query.get(name), float, name) for name in ("strength", "eyes", "childlike")
            )
            toon = maker.toon(
                data,
                query.get("style"),
                _number(query.get("swap"), int, "swap"),
                1.0 if strength is None else strength,
                1.0 if eyes is None else eyes,
                childlike,
            )
            found = {"words": toon.words, "faces": [asdict(face) for face in toon.faces]}
            return Response(
                toon.data, media_type=toon.kind, headers={"Toonify-Found": json.dumps(found)}
            )

        return await self._do(request, answer)

    async def _character(self, request: Request) -> Response:
        portraits = self._portraits
        if isinstance(portraits, str):
            return refuse(409, portraits)
        query = request.query_params

        def answer() -> Response:
            data = portraits.portrait(
                query.get("style"),
                _number(query.get("seed", "0"), int, "seed") or 0,
                _number(query.get("truncation", "0.7"), float, "truncation") or 0.0,
                _number(query.get("other"), int, "other"),
                _number(query.get("mix", "8"), int, "mix") or 0,
            )
            return Response(data, media_type="image/png")

        return await self._do(request, answer)

    async def _do(self, request: Request, answer: Callable[[], Response]) -> Response:
        """An answer that is made at the desk; what is wrong is one sentence."""
        try:
            return await self._desk.do(answer, request.is_disconnected)
        except GoneError:
            return Response(status_code=204)  # to nobody
        except ToonifyError as error:
            status = next((code for kind, code in STATUS if isinstance(error, kind)), 422)
            return refuse(status, str(error))


async def _body(request: Request) -> bytes | None:
    """What was sent; None if it is too large."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > DRAIN * MOST_BYTES:
            return None
        if size <= MOST_BYTES:
            parts.append(part)
    return b"".join(parts) if size <= MOST_BYTES else None


def _number(text: str | None, kind: Callable[[str], T], name: str) -> T | None:
    """A number of the query; None if it was not given."""
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise UsageError(f"{name} must be a number, not {text[:20]!r}.") from None
