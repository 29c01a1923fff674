"""`toonify web`: the page to try, until the user stops it."""

from __future__ import annotations

import signal
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from engines.catalogue.models import find_bundle
from engines.catalogue.sampling import NoCharactersError
from engines.errors import ToonifyError
from engines.faces.people import people
from engines.say import Say, say, say_whole
from realtime.settings import Settings
from realtime.web.photo.desk import Desk
from realtime.web.photo.maker import PhotoMaker
from realtime.web.photo.portraits import Portraits
from realtime.web.photo.routes import PhotoPage
from realtime.web.server import LOOPBACK, WebServer, check_address


def run_web(
    settings: Settings,
    say: Say = say,
    *,
    show: Say = say_whole,
    host: str = LOOPBACK,
    port: int = 0,
    browse: bool = False,
    stop: threading.Event | None = None,
) -> None:
    """Serve the page until Ctrl-C.

    Args:
        show: told the page's address, with its token.
        host, port: see `WebServer`.
        browse: open it in the browser as well.
        stop: ends it when set.

    Raises:
        ToonifyError: the port, the model or the engine cannot be used.
    """
    check_address(host, port)  # now, because the engine takes some seconds
    stop = stop or threading.Event()
    with ExitStack() as stack:
        photo = photo_page(settings, say, stack)
        server = stack.enter_context(WebServer(photo.routes, host=host, port=port, say=say))
        address = server.url()
        show(f"Open {address} in a browser on this machine; Ctrl-C ends it.")
        if browse:
            webbrowser.open(address)
        with ended_by_signals(stop):
            while not stop.wait(1):  # in pieces: Windows hears no Ctrl-C within one
                pass


def photo_page(settings: Settings, say: Say, stack: ExitStack) -> PhotoPage:
    """The page with its engine, warm; both are closed with the stack.

    Raises:
        ToonifyError: the model can draw neither photos nor characters, or no engine can be used.
    """
    bundle = find_bundle(settings.engine.model)
    try:
        portraits: Portraits | str = Portraits(bundle)
    except NoCharactersError as error:
        portraits = str(error)
    maker: PhotoMaker | str
    if bundle.encoder is None and isinstance(portraits, Portraits):
        try:
            bundle.check()
        except ToonifyError as error:  # that it has no encoder, and what to do
            maker = str(error)
            say(f"{maker} The page shows its random characters.")
    else:
        maker = PhotoMaker(settings, say, bundle)
        stack.callback(maker.close)
        maker.toon(people()[0].read_bytes())  # so that the user's first photo is not the slow one
    desk = Desk()
    stack.callback(desk.close)
    return PhotoPage(bundle, maker, portraits, desk)


@contextmanager
def ended_by_signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop`, if this is the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
