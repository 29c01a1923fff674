"""`toonify devices` and `toonify doctor`."""

from __future__ import annotations

import typer


def devices() -> None:
    """Cameras and virtual cameras: names, sizes, what is wrong with each."""
    from realtime.commands.machine import show_devices

    show_devices()


def doctor() -> None:
    """Whether `toonify run` can work here, and the command that fixes each problem."""
    from realtime.commands.machine import show_doctor

    if not show_doctor():
        raise typer.Exit(1)
