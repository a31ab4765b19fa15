"""Crowds of readers, in short: bounds that a machine under load keeps, and a broken pace does not.

The texts that a flood brings travel together, a few times a second; see docs/design.md, Publishing.
"""

from harness.chat import Chat

READERS = 200


def assert_nobody_misses_anything(report, readers=READERS):
    assert report["whole"] == report["opened"] == readers, report
    assert not any(report[name] for name in ("gaps", "duplicates", "out_of_order", "resets", "errors",
                                             "misdirected", "unknown", "unsent", "rejected")), report


def test_a_flood_reaches_a_crowd_whole_on_the_default_limits(servers):
    """One item a message would be 60,000 deliveries a second; Pushpin does 2,500."""
    chat = Chat(servers)
    report = servers.load(chat.apache.port, chat.pushpin.port, readers=READERS, posters=8, rate=300,
                          seconds=5, settle=20).wait()
    assert_nobody_misses_anything(report)
    assert report["acknowledged"] == report["stored_last"] > 1000
    assert report["live_ms"]["p50"] < 1500 and report["last_whole_ms"] < 5000, report
    assert "dropping message" not in chat.pushpin.log()


def test_a_burst_reaches_a_crowd_soon(servers):
    chat = Chat(servers)
    report = servers.load(chat.apache.port, chat.pushpin.port, readers=READERS, posters=32, burst=128,
                          settle=10).wait()
    assert_nobody_misses_anything(report)
    assert report["live_ms"]["count"] == 128 * READERS and report["live_ms"]["max"] < 3000, report


def test_a_crowd_that_loses_its_proxy_is_whole_soon_after(servers):
    chat = Chat(servers)
    chat.apache.error_log.allow(r"\[grip_chat:warn\]")
    client = servers.load(chat.apache.port, chat.pushpin.port, readers=READERS, posters=2, rate=20,
                          retry_cap=500, settle=20)
    client.wait_for(lambda status: status["acknowledged"] >= 20, 30, "posts")
    chat.pushpin.kill()
    chat.pushpin.start()
    client.wait_for(lambda status: status["time_to_whole_ms"], 30, "whole readers")
    report = client.stop()
    assert_nobody_misses_anything(report)
    assert report["mass_disconnects"] == 1 and report["recovery_ms"]["count"] > 0
    assert report["time_to_whole_ms"] < 15000, report
