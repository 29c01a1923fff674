"""`toonify devices` and `toonify doctor`."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from engines.say import say
from realtime.commands.screen import err, out


def show_devices() -> None:
    """Cameras, virtual cameras and microphones: names, sizes, and what is wrong with each."""
    from realtime.devices import examine_cameras, examine_microphones, examine_virtual_cameras

    table = Table("device", "name", "choose by", "sizes")
    problems = []  # not in the table, where commands could not be copied
    reports = [*examine_cameras(), *examine_virtual_cameras(), *examine_microphones()]
    for report in reports:
        table.add_row(report.kind, report.name, report.choose, report.sizes)
        if report.problem:
            problems.append(f"{report.kind} {report.name}: {report.problem}")
    out.print(table)
    for problem in problems:
        out.print(problem, soft_wrap=True)
    if not any(report.kind == "camera" for report in reports):
        say("No camera was found; plug one in, or try `toonify run --source demo`.")


def show_doctor() -> bool:
    """The page; whether `toonify run` can work."""
    from realtime.doctor import examine

    marks = {
        "good": Text("good", "green"),
        "note": Text("note", "yellow"),
        "bad": Text("BAD", "red"),
    }
    table = Table("", "what", "found", title="toonify doctor", title_justify="left")
    advice = {}  # not in the table, where commands could not be copied
    can_run = True
    with err.status("Examining..."):
        for finding in examine():
            can_run = can_run and finding.state != "bad"
            table.add_row(marks[finding.state], finding.what, finding.detail)
            if finding.fix:
                advice[finding.what] = finding.fix
    out.print(table)
    for what, fix in advice.items():
        out.print(f"{what}: {fix}", soft_wrap=True)
    say(
        "`toonify run` can work here."
        if can_run
        else "`toonify run` cannot work here yet; the lines marked BAD say why. "
        "`toonify demo` needs no camera."
    )
    return can_run
