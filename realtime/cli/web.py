"""`toonify web`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from engines.options import grouped
from realtime.cli import options as o
from realtime.cli.files import MOST_FOLLOWED

SERVER = "Server"
"""A panel of the help page."""

Host = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        help="Where the page can be reached: this machine only, unless another address is asked "
        "for, such as 0.0.0.0 for the network. The token in the page's address is always needed.",
        rich_help_panel=SERVER,
    ),
]
Port = Annotated[
    int,
    typer.Option(
        metavar="PORT", help="Port of the page; a free one if not given.", rich_help_panel=SERVER
    ),
]
Open = Annotated[
    bool,
    typer.Option(
        "--open",
        help="Open the page in the browser; other users of this machine may see its address then.",
        rich_help_panel=SERVER,
    ),
]


@grouped
def web(
    *,
    host: Host = "127.0.0.1",
    port: Port = 0,
    open_: Open = False,
    toon: o.Toon,
    engine: o.Engine,
    config: o.Config = None,
) -> None:
    """A page in the browser to try photos on, until Ctrl-C; nothing leaves this machine."""
    from realtime.commands.web import run_web

    toon = toon if toon.faces else replace(toon, faces=MOST_FOLLOWED)
    settings = o.settings_from(toon, engine, config, guard="pass")
    run_web(settings, host=host, port=port, browse=open_)
