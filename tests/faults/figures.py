"""What the cases measured: printed, and kept in build/results/faults-figures.txt."""

import fcntl
import os
import random

import pytest

from faults.scale import SOAK
from harness import paths
from harness.httpd import MPM

_KEPT = paths.ROOT / "build" / "results" / "faults-figures.txt"


@pytest.fixture
def figure(request, capsys):
    """Notes a line of figures under the name of the test."""
    name = request.node.name.removeprefix("test_")
    head = f"FIGURE {name} ({'soak' if SOAK else 'short'}, {MPM}): "

    def note(text):
        request.node.user_properties.append(("figure", head + text))
        if SOAK:
            with capsys.disabled():
                print(f"\n{head}{text}", flush=True)
        _keep(head, text)
    return note


def _keep(head, text):
    """One line a case: another run's takes the place of the one before."""
    _KEPT.parent.mkdir(parents=True, exist_ok=True)
    with open(_KEPT, "a+", encoding="utf-8") as file:
        # Several workers may run at once.
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        lines = [line for line in file.read().splitlines() if not line.startswith(head)]
        file.truncate(0)
        file.write("\n".join(sorted([*lines, head + text])) + "\n")


def pytest_terminal_summary(terminalreporter):
    """All figures of the run, whichever process measured them."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == "figure" and report.when == "call":
                terminalreporter.write_line(text)


@pytest.fixture
def chance():
    """A source of chance whose seed a failed test shows; GRIP_CHAT_SEED gives the same again."""
    seed = int(os.environ.get("GRIP_CHAT_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"GRIP_CHAT_SEED={seed}")
    return random.Random(seed)
