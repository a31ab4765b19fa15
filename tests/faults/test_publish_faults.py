"""What takes publishes misbehaves: posts go on at full speed, and readers become whole after it."""

import time

import pytest

from faults.crowd import ERRORS, WARNINGS, Crowd
from faults.follower import Follower
from faults.scale import scaled
from faults.test_proxy_gone import assert_posts_go_on
from faults.ways import Way
from harness import name_server
from harness.client import events_path
from harness.processes import wait_until
from harness.sites import chat_site

# How long each lasts in the short form, in seconds; one for longer than a publish may take.
FAULTS = {500: 1, 413: 1, "garbage": 1, "cut": 1, "refused": 1, "late": 2, "slow": 1.5,
          "silent": 6, "full": 1.5}


@pytest.fixture(scope="module")
def broken(module_servers):
    """An Apache, a Pushpin, and a way between them, for all faults."""
    def site(apache):
        made["pushpin"] = module_servers.pushpin(apache.port)
        made["way"] = module_servers.keep(Way(made["pushpin"].publish_port), Way.stop).start()
        return chat_site(apache.database, made["way"].grip_url)
    made = {}
    apache = module_servers.apache(site)
    apache.error_log.allow(WARNINGS, ERRORS + ".*GC0304")
    return apache, made["pushpin"], made["way"]


def crowd_through(servers, apache, pushpin, rooms):
    return Crowd(apache, lambda room: servers.event_source(
        pushpin.port, events_path(room), kind=Follower), rooms=rooms)


@pytest.mark.parametrize("fault", FAULTS)
def test_publish_fault(servers, broken, figure, fault):
    apache, pushpin, way = broken
    crowd = crowd_through(servers, apache, pushpin, [f"{fault}-{n}" for n in range(4)])
    crowd.run(scaled(1, 5))
    begin = time.monotonic()
    way.break_as(fault)
    try:
        crowd.run(scaled(FAULTS[fault], 20))
        assert way.requests or fault in ("refused", "full"), "nothing met the fault"
    finally:
        end = time.monotonic()
        way.break_as(None)
    crowd.run(0.5)
    outcome = crowd.settle(timeout=20)
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    assert apache.error_log.count("GC0304") <= 1, "what is refused is logged once a minute"
    figure(f"{end - begin:.0f} s; {assert_posts_go_on(crowd, begin, end)}; {outcome}")


@pytest.fixture
def names(servers):
    if not name_server.own_mounts_are_possible():
        pytest.skip("to give Apache a resolver of its own needs root and a mount namespace")
    return servers.keep(name_server.NameServer(), name_server.NameServer.close)


@pytest.mark.parametrize("fault", ["silent", "unknown"])
def test_names_gone(servers, names, figure, fault):
    """The proxy's name cannot be resolved by a keeper that has just started."""
    made = {}

    def site(apache):
        made["pushpin"] = servers.pushpin(apache.port)
        apache.wrap(name_server.asking(names, apache.directory))
        url = f"http://{name_server.NAME}:{made['pushpin'].publish_port}/?key=changeme"
        return chat_site(apache.database, url)
    apache = servers.apache(site)
    apache.error_log.allow(WARNINGS)
    crowd = crowd_through(servers, apache, made["pushpin"], ["a", "b"])
    crowd.run(scaled(1, 5))
    before = names.questions
    names.is_silent, names.knows_name = fault == "silent", fault == "silent"
    apache.kill_keeper()
    crowd.wait_posts(8)
    begin = time.monotonic()
    crowd.run(scaled(2, 20))
    wait_until(lambda: names.questions > before, 10, "question for the proxy's name")
    end = time.monotonic()
    names.is_silent, names.knows_name = False, True
    crowd.run(0.5)
    outcome = crowd.settle(timeout=30)
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    figure(f"{end - begin:.0f} s; {assert_posts_go_on(crowd, begin, end)}; {outcome}")
