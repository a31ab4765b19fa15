"""Crowds of readers in one room, through Pushpin and without it: nobody misses anything, and how late they are.

The long form holds the module to its figures; the short one has bounds that a busy machine keeps, and
that a broken pace does not.
"""

import time

import pytest

from faults.crowd import WARNINGS
from faults.scale import SOAK, scaled
from harness.httpd import MPM
from harness.sites import chat_site

READERS = scaled(200, 500)
# Pushpin has room for so many clients in the configuration of ./dev run.
MANY = scaled(600, 2000)


class Crowd:
    """Apache and Pushpin, and the load client in front of both."""

    def __init__(self, servers, rate=None, **options):
        self._servers = servers
        self.pushpin = None
        self.apache = servers.apache(lambda apache: self._site(apache, rate, options))
        self.apache.error_log.allow(WARNINGS)

    def _site(self, apache, rate, options):
        self.pushpin = self._servers.pushpin(apache.port, **options)
        return chat_site(apache.database, self.pushpin.grip_url, PublishRate=rate)

    def load(self, **options):
        return self._servers.load(self.apache.port, self.pushpin.port, rest=2, **options)


def check(report, readers):
    assert report["whole"] == report["opened"] == readers, report
    assert not any(report[name] for name in ("gaps", "duplicates", "out_of_order", "resets", "errors",
                                             "misdirected", "unknown", "unsent", "rejected")), report
    assert report["acknowledged"] == report["stored_last"], report


def lateness(report):
    live = report["live_ms"]
    return (f"{report['acknowledged']:,} messages to {report['readers']} readers: median"
            f" {live['p50']:,.0f} ms, p99 {live['p99']:,.0f} ms, worst {live['max']:,.0f} ms")


@pytest.mark.parametrize("rate", scaled([300], [200, 1000]))
@pytest.mark.quiet
def test_flood(servers, figure, rate):
    """On Pushpin's default limits; one item a message would be hundreds of thousands of deliveries."""
    crowd = Crowd(servers)
    report = crowd.load(readers=READERS, posters=8, rate=rate, seconds=scaled(5, 30),
                        settle=20).wait()
    check(report, READERS)
    assert "dropping message" not in crowd.pushpin.log()
    figure(lateness(report))
    assert report["live_ms"]["p50"] <= scaled(5000, 1000), report
    assert report["live_ms"]["max"] <= scaled(15000, 2000), report


@pytest.mark.skipif(not SOAK, reason="it needs a quiet machine")
def test_flood_without_limits(servers, figure):
    crowd = Crowd(servers, rate="20 5", message_rate=0)
    report = crowd.load(readers=READERS, posters=8, rate=1000, seconds=30, settle=20,
                        text_bytes=0).wait()
    check(report, READERS)
    figure(lateness(report))
    assert report["live_ms"]["p50"] <= 80, report


@pytest.mark.quiet
def test_burst(servers, figure):
    crowd = Crowd(servers)
    report = crowd.load(readers=READERS, posters=32, burst=128, settle=10).wait()
    check(report, READERS)
    # What is published before Pushpin has noted a new stream passes that by; its reader is told later.
    assert report["messages"] == 128 * READERS >= report["live_ms"]["count"] >= 128 * READERS * 0.8, report
    figure(lateness(report))
    assert report["live_ms"]["max"] <= scaled(15000, 500), report


own_streams = pytest.mark.skipif(MPM != "event", reason="only mpm_event can hold a stream")


def own_crowd(servers):
    """A child of event whose threads are all busy closes kept connections, on which a post may just come: so
    each child has more threads than there are posters."""
    apache = servers.apache(lambda a: chat_site(a.database, "none", Streams="On",
                                                MaxStreamsPerClient="Off") +
                            f"AsyncRequestWorkerFactor {READERS}\n"
                            "ThreadsPerChild 50\nMaxRequestWorkers 200\nMaxSpareThreads 200\n")
    apache.error_log.allow(WARNINGS)
    return apache


@own_streams
@pytest.mark.quiet
def test_burst_to_own_streams(servers, figure):
    """It outruns what a room in memory is read on with, and sends nobody away."""
    load = servers.load(own_crowd(servers).port, readers=READERS, posters=32, settle=20,
                        messages=scaled(2000, 10000))
    report = load.wait()
    check(report, READERS)
    assert report["connects"] == READERS, report
    figure(lateness(report))
    assert report["live_ms"]["max"] <= scaled(15000, 1000), report


@own_streams
@pytest.mark.quiet
def test_one_message_alone_on_own_streams(servers, figure):
    report = servers.load(own_crowd(servers).port, readers=1, posters=1, rate=2,
                          seconds=scaled(3, 20), settle=10).wait()
    check(report, 1)
    figure(lateness(report))
    assert report["live_ms"]["p50"] <= scaled(1000, 10), report


@pytest.mark.quiet
def test_one_message_alone(servers, figure):
    crowd = Crowd(servers)
    report = crowd.load(readers=1, posters=1, rate=2, seconds=scaled(3, 20), settle=10).wait()
    check(report, 1)
    figure(lateness(report))
    assert report["live_ms"]["p50"] <= scaled(1000, 20), report


def test_crowd_loses_its_proxy(servers, figure):
    """All of them come back, each after the time that its stream told it."""
    # Pushpin ends where those who leave and come back come near to what it has room for (docs/pushpin.md).
    crowd = Crowd(servers, client_maxconn=4 * MANY)
    # A Pushpin that has just started may lose a request, which is then never answered.
    client = crowd.load(readers=MANY, posters=1, rate=1, seconds=300, settle=60, key=True,
                        silence=10)
    client.wait_for(lambda status: status["acknowledged"] >= 3, 60, "posts")
    crowd.pushpin.kill()
    crowd.pushpin.start()
    client.wait_for(lambda status: status["time_to_whole_ms"], 90, "whole readers")
    time.sleep(2)
    report = client.stop()
    check(report, MANY)
    assert report["mass_disconnects"] == 1
    figure(f"{MANY} readers open again after {report['time_to_open_ms'] / 1000:.1f} s, whole after"
           f" {report['time_to_whole_ms'] / 1000:.1f} s")
    assert report["time_to_whole_ms"] < 30000, report
