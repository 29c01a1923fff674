from __future__ import annotations

import threading
import time

from realtime.sinks import SinkError
from realtime.sinks.runner import SinkRunner
from tests.realtime.fakes import Collector, Messages
from tests.realtime.media import (
    number_of,
)
from tests.realtime.sinks.outputs import output


class TestRunner:
    def test_a_failing_sink_is_told_of_once_and_retried(self) -> None:
        messages = Messages()
        working = threading.Event()

        def trouble(count: int) -> None:
            if sink.opened < 3:
                raise SinkError("The cable is loose.")
            working.set()

        sink = Collector(trouble)
        runner = SinkRunner(sink, messages, wait=False, pauses=(0.01,))
        runner.start()
        while not working.is_set():
            runner.put(output())
            time.sleep(0.002)
        assert runner.stop(5)
        assert messages == [
            "The cable is loose. It is skipped; retrying.",
            "The collector works again.",
        ]
        assert runner.failed is None
        assert sink.closed >= sink.opened

    def test_a_slow_sink_skips_to_the_newest(self) -> None:
        sink = Collector(lambda count: time.sleep(0.02))
        runner = SinkRunner(sink, Messages(), wait=False)
        runner.start()
        for number in range(50):
            runner.put(output(number))
            time.sleep(0.002)
        assert runner.stop(5)
        numbers = [number_of(o.image) for o in sink.outputs]
        assert numbers == sorted(numbers)
        assert numbers[-1] == 49
        assert runner.dropped + len(numbers) == 50
        assert runner.dropped > 10
