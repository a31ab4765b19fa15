"""People chat on Apache alone: nothing on the page differs, whatever carries the events."""

import pytest

from harness.tls import tls_port


def chat_of_two(window, port, **options):
    """Returns what a message took, in the middle, in seconds."""
    alice = window(port, **options).join("default", "alice")
    bob = window(port, **options).join("default", "bob")
    bob.send("warm up")
    alice.wait_text("warm up")
    latencies = []
    for number in range(5):
        begin = alice.send(f"ping {number}")
        latencies.append(bob.wait_text(f"ping {number}") - begin)
        bob.send(f"pong {number}")
        alice.wait_text(f"pong {number}")
    expected = ["warm up"] + [f"p{vowel}ng {n}" for n in range(5) for vowel in "io"]
    assert alice.texts == bob.texts == expected
    assert not alice.problems() and not bob.problems()
    return sorted(latencies)[2]


@pytest.mark.quiet
def test_over_http_1_they_see_each_other_at_once(servers, window):
    apache = servers.apache(lambda a: a.page_site("none"))
    assert chat_of_two(window, apache.port) < 0.5


@pytest.mark.parametrize("protocols", [
    "h2", pytest.param("http/1.1", marks=pytest.mark.quiet)])
def test_over_tls_they_chat(servers, window, protocols):
    """Over HTTP/2 streams are not held, and the page asks again and again."""
    apache = servers.apache(lambda a: a.page_site("none") + tls_port(a, protocols))
    latency = chat_of_two(window, apache.tls_port, scheme="https")
    assert latency < (5 if protocols == "h2" else 0.5)
