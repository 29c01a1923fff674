"""The panel of `toonify run --panel`: a server beside the run."""

from __future__ import annotations

from types import TracebackType

from engines.say import Say, say_whole
from realtime.live.desk import Desk
from realtime.settings import OutputSettings
from realtime.sinks import Sink


def check_panel(output: OutputSettings, say: Say) -> None:
    """Raises what `Panel` would, before anything else is made ready."""
    from realtime.web.server import LOOPBACK, check_address

    check_address(LOOPBACK, output.panel or 0)
    _token(output, say)


class Panel:
    """Serves panel and overlay while its body runs; a context manager.

    Args:
        desk: the run.
        sinks: gets one more, which feeds the pages.
        say: told what fails.
        show: told the pages' addresses, with their token.

    Raises:
        WebError: the port is taken, or its address cannot be kept.
    """

    def __init__(self, desk: Desk, sinks: list[Sink], say: Say, *, show: Say = say_whole) -> None:
        from realtime.web.panel.feed import Feed
        from realtime.web.panel.routes import OVERLAY, panel_routes
        from realtime.web.server import WebServer

        feed = Feed()
        routes = panel_routes(desk, feed, self._overlay)
        output = desk.settings.output
        token = _token(output, say)
        self.server = WebServer(
            routes, port=output.panel or 0, say=say, token=token, guests=OVERLAY
        )
        sinks.append(feed)
        self._show = show

    def __enter__(self) -> Panel:
        self.server.start()
        self._show(f"Panel: {self.server.url()}")
        self._show(f"Overlay, for a browser source of OBS: {self._overlay()}")
        return self

    def _overlay(self) -> str:
        """The address of the overlay, which opens nothing else."""
        return self.server.guest_url("/overlay")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.server.stop()


def _token(output: OutputSettings, say: Say) -> str | None:
    """The token that is kept for this port; None for one of this run only."""
    from realtime.web.kept_token import kept_token

    return kept_token(output.panel, say) if output.panel and output.keep_address else None
