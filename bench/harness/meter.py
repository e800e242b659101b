"""CPU time around a measurement: the gateway's own, and what the rest of the machine did meanwhile."""

import os
import time

from .clients import children_cpu_seconds
from .procs import busy_seconds


class Meter:
    """`with Meter(gateway, upstream) as meter: …` then `meter.cpu_seconds`, `meter.noise`.

    Without a gateway (several come and go) only the noise is told: those that have ended count as ours.
    """

    def __init__(self, gateway, *others):
        self.gateway = gateway
        self.others = others

    def _ours(self):
        own = sum(os.times()[:2])
        return own + children_cpu_seconds() + sum(other.cpu_seconds() for other in self.others)

    def _gateways(self):
        return self.gateway.cpu_seconds() if self.gateway else 0.0

    def __enter__(self):
        self.began = time.monotonic()
        self.before = (self._gateways(), self._ours(), busy_seconds())
        return self

    def __exit__(self, *_):
        gateway, ours, busy = self.before
        self.seconds = time.monotonic() - self.began
        self.cpu_seconds = self._gateways() - gateway
        ours = self._ours() - ours + self.cpu_seconds
        strangers = max(0.0, busy_seconds() - busy - ours)
        # Share of one core that somebody else used: 0.00 on a quiet machine.
        self.noise = round(strangers / self.seconds, 3)
