"""A TCP relay that holds back what the origin answers, to widen the windows of races."""

import time

from .relay import Relay


class SlowProxy(Relay):
    """Each piece of an answer waits `delay` seconds."""

    def __init__(self, target_port, delay):
        super().__init__(target_port)
        self.delay = delay

    def _passers(self):
        def late(data):
            time.sleep(self.delay)
            return data
        return lambda data: data, late
