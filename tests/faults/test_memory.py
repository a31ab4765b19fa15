"""An hour of load: what Apache takes of memory stays as it is."""

import os
import time

import pytest

from faults.crowd import Crowd
from faults.scale import HOURS, SOAK
from harness.chat import Chat

# Kilobytes that a process may grow by between a while after the start and the end.
GROWTH = {"parent": 512, "keeper": 2048, "largest child": 4096}
# After which that is measured, in seconds: caches and pools are full then.
WARM = 600


def resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def usage(apache):
    children = {pid: resident_kb(pid) for pid in apache.children()}
    return {"parent": resident_kb(apache.process.pid), "keeper": resident_kb(apache.keeper()),
            "largest child": max(children.values())}


def text_of(kilobytes):
    return ", ".join(f"{name} {size:,} KB" for name, size in kilobytes.items())


@pytest.mark.skipif(not SOAK, reason="takes an hour: ./dev soak -k memory")
def test_memory(servers, figure, capsys):
    seconds = HOURS * 3600
    chat = Chat(servers)
    crowd = Crowd.at(chat, pause=0.05)
    begin, seen = time.monotonic(), {}
    for name, moment in (("start", 10), ("warm", min(WARM, seconds / 3)), ("end", seconds)):
        while (left := begin + moment - time.monotonic()) > 0:
            crowd.run(min(left, 10))
            _come_and_go(crowd)
        seen[name] = usage(chat.apache)
        with capsys.disabled():
            print(f"\nafter {time.monotonic() - begin:,.0f} s: {text_of(seen[name])}", flush=True)
    outcome = crowd.settle()
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    grown = {name: seen["end"][name] - seen["warm"][name] for name in GROWTH}
    figure(f"{seconds / 60:.0f} min; at start {text_of(seen['start'])}; after "
           f"{min(WARM, seconds / 3) / 60:.0f} min {text_of(seen['warm'])}; at end "
           f"{text_of(seen['end'])}; database {os.path.getsize(chat.apache.database):,} bytes; "
           f"{outcome}")
    assert all(grown[name] <= limit for name, limit in GROWTH.items()), grown


def _come_and_go(crowd):
    """Each reader leaves now and then: streams begin and end all the time."""
    for follower in crowd.everyone[int(time.monotonic()) % 2::2]:
        follower.drop()
