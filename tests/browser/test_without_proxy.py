"""People chat on Apache alone: nothing on the page differs, whatever carries the events."""

import pytest

from browser.page_chat import LOST_MS
from harness.tls import tls_port


def chat_of_two(window, port, **options):
    """Returns what the slowest message took, in milliseconds."""
    alice = window(port, **options).join("default", "alice")
    bob = window(port, **options).join("default", "bob")
    bob.send("warm up")
    alice.wait_text("warm up")
    latencies = []
    for number in range(5):
        begin = alice.send_by_enter(f"ping {number}")
        latencies.append(bob.shown_at(f"ping {number}") - begin)
        bob.send(f"pong {number}")
        alice.wait_text(f"pong {number}")
    expected = ["warm up"] + [f"p{vowel}ng {n}" for n in range(5) for vowel in "io"]
    assert alice.texts == bob.texts == expected
    assert not alice.problems() and not bob.problems()
    assert min(latencies) > 0
    return max(latencies)


def asked_for_events(apache):
    """How many requests for events have ended; of two that poll, ten messages end ten at least."""
    return (apache.directory / "access.log").read_text().count("/rooms/default/events/")


def test_over_http_1_they_see_each_other_at_once(servers, window):
    apache = servers.apache(lambda a: a.page_site("none"))
    assert chat_of_two(window, apache.port) < LOST_MS
    assert asked_for_events(apache) < 5


@pytest.mark.parametrize("protocols", ["h2", "http/1.1"])
def test_over_tls_they_chat(servers, window, protocols):
    """Over HTTP/2 streams are not held, and the page asks again and again."""
    apache = servers.apache(lambda a: a.page_site("none") + tls_port(a, protocols))
    assert chat_of_two(window, apache.tls_port, scheme="https") < LOST_MS
    assert (asked_for_events(apache) >= 5) == (protocols == "h2")
