from __future__ import annotations

from pathlib import Path

from realtime.sinks.files import Recording
from realtime.sinks.switchable import Switchable
from tests.realtime.fakes import Messages
from tests.realtime.media import RATE, number_of, read_movie
from tests.realtime.sinks.outputs import SIZE, output


def test_each_start_makes_a_file_of_what_comes_until_the_stop(tmp_path: Path) -> None:
    path, messages = tmp_path / "a.mp4", Messages()
    sink = Switchable(lambda: Recording(path, SIZE, RATE, paced=False), messages)
    sink.open()
    sink.send(output(0))  # nobody has pressed the key
    sink.toggle()
    for number in (1, 2):
        sink.send(output(number))
    sink.toggle()
    sink.send(output(3))
    sink.toggle()
    sink.send(output(4))
    sink.close()
    files = [path, tmp_path / "a-2.mp4"]
    assert [[number_of(p) for p in read_movie(file)[0]] for file in files] == [[1, 2], [4]]
    assert messages == [f"Recording to {path}.", f"Recorded {path}.",
                        f"Recording to {path}.", f"Recorded {files[1]}."]  # fmt: skip
