"""The bench: that it runs, measures both sides and says so. What it measures is no test's matter."""

import os
import re
import resource
import subprocess
import sys

import pytest

from harness import paths


def run(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "bench", *arguments], cwd=paths.ROOT / "tests",
                          capture_output=True, text=True, timeout=120, check=False, **options)


def bench(*arguments):
    answer = run(*arguments)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_the_bench_measures_a_read_and_a_post():
    lines = bench("--smoke", "-k", "^(events-next|posts)$").splitlines()
    found = [re.match(r"(?:ok  |MISS) ([a-z-]+) +(\d+\.\d+) ×", line) for line in lines]
    assert all(found), lines
    assert [match[1] for match in found] == ["events-next", "posts"]
    # Neither side is so far from the other that one of them did nothing.
    assert all(0.02 < float(match[2]) < 50 for match in found), lines


def test_the_bench_measures_over_tls():
    lines = bench("--smoke", "-k", "^(tls|h2)-").splitlines()
    found = [re.match(r"(?:ok  |MISS) ([a-z0-9-]+) +(\d+\.\d+) ×", line) for line in lines]
    assert [match[1] for match in found] == ["tls-messages", "h2-messages"], lines
    assert all(0.02 < float(match[2]) < 50 for match in found), lines


def test_the_bench_says_where_the_original_is_not(tmp_path):
    answer = run("--smoke", "-k", "^original-posts$", "--original", tmp_path)
    assert answer.returncode == 1 and answer.stdout == ""
    assert answer.stderr == (f"bench: --original {tmp_path}: there is no server/wsgi.py; name the folder"
                             " `origin` of fastly/fanout-chat-demo\n")


def test_the_bench_measures_streams_beside_other_servers():
    text = bench("--smoke", "-k", "^streams-(burst-1000|memory-4000|memory-tls)$")
    burst, beside, tls = text.splitlines()
    rates = re.findall(r"(?:Apache|nchan|Pushpin) ([\d,]+)", burst)
    assert len(rates) == 3 and "0" not in rates, burst
    # Beside other programs that map the same libraries, and end, a few readers' part may be below zero.
    assert len(re.findall(r"(?:Apache|nchan|Pushpin) -?\d+\.\d KB", beside)) == 3, beside
    each, busy = re.search(r"; (-?\d+\.\d) KB, (\d+) workers busy", tls).groups()
    assert float(each) < 500 and busy == "0", tls


@pytest.mark.skipif(not paths.centrifugo(), reason="there is no Centrifugo here")
def test_the_bench_measures_streams_beside_centrifugo():
    text = bench("--smoke", "-k", "^streams-(centrifugo-(latency-1|burst-1000)|memory-4000)$")
    latency, burst, memory = text.splitlines()
    assert re.search(r" / Centrifugo; p50 / p99 in ms: Apache .*, Centrifugo \d", latency), latency
    rates = re.findall(r"(?:Apache|Centrifugo) ([\d,]+)", burst)
    assert len(rates) == 2 and "0" not in rates, burst
    assert re.search(r"Centrifugo -?\d+\.\d KB", memory), memory


def test_the_bench_says_that_centrifugo_is_not_there():
    answer = run("--smoke", "-k", "^streams-(centrifugo-burst-1|burst-1)$",
                 env={**os.environ, "GRIP_CHAT_CENTRIFUGO": "none"})
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count("\n") == 1 and " streams-burst-1 " in answer.stdout
    assert answer.stderr == ("bench: there is no Centrifugo, on the PATH or by GRIP_CHAT_CENTRIFUGO; left out:"
                             " streams-centrifugo-burst-1\n")


def test_the_bench_measures_the_page_in_two_browsers():
    text = bench("--smoke", "-k", "^page$")
    figures = re.search(r"; (\d+) ms, and (\d+) ms, at most (\d+) ms", text).groups()
    assert 0 < int(figures[1]) <= int(figures[2]), text


def test_the_bench_says_that_too_few_files_may_be_open():
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
    answer = run("--smoke", "-k", "^streams-room-10000$", preexec_fn=limit)
    assert answer.returncode == 1 and answer.stdout == ""
    assert answer.stderr == ("bench: 100 readers need 2,100 open files in one process, and the hard limit is"
                             " 1,024: raise it (ulimit -Hn, or LimitNOFILE of the session)\n")
