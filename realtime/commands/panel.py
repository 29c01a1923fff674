"""The panel of `toonify run --panel`: a server beside the run."""

from __future__ import annotations

from types import TracebackType

from engines.say import Say, say_whole
from realtime.live.desk import Desk
from realtime.sinks import Sink


def check_panel(port: int) -> None:
    """Raises what `Panel` would, before anything else is made ready."""
    from realtime.web.server import LOOPBACK, check_address

    check_address(LOOPBACK, port)


class Panel:
    """Serves panel and overlay while its body runs; a context manager.

    Args:
        desk: the run.
        sinks: gets one more, which feeds the pages.
        say: told what fails.
        show: told the pages' addresses, with their token.

    Raises:
        WebError: the port is taken.
    """

    def __init__(self, desk: Desk, sinks: list[Sink], say: Say, *, show: Say = say_whole) -> None:
        from realtime.web.panel.feed import Feed
        from realtime.web.panel.routes import panel_routes
        from realtime.web.server import WebServer

        feed = Feed()
        routes = panel_routes(desk, feed)
        self.server = WebServer(routes, port=desk.settings.output.panel or 0, say=say)
        sinks.append(feed)
        self._show = show

    def __enter__(self) -> Panel:
        self.server.start()
        self._show(f"Panel: {self.server.url()}")
        self._show(f"Overlay, for a browser source of OBS: {self.server.url('/overlay')}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.server.stop()
