"""The bench: that it runs, measures both sides and says so. What it measures is no test's matter."""

import re
import subprocess
import sys

from harness import paths


def bench(*arguments):
    answer = subprocess.run([sys.executable, paths.ROOT / "tests/bench/bench.py", *arguments],
                            capture_output=True, text=True, timeout=120, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_the_bench_measures_a_read_and_a_post():
    lines = bench("--smoke", "-k", "^(events-next|posts)$").splitlines()
    found = [re.match(r"(?:ok  |MISS) ([a-z-]+) +(\d+\.\d+) ×", line) for line in lines]
    assert all(found), lines
    assert [match[1] for match in found] == ["events-next", "posts"]
    # Neither side is so far from the other that one of them did nothing.
    assert all(0.02 < float(match[2]) < 50 for match in found), lines
