"""The clock of the machine is set back an hour while people chat: nothing waits for that hour."""

import time

import pytest

from harness import grip
from harness.client import events_path
from harness.clock import SettableClock, settable_clock_library
from harness.processes import wait_until
from harness.sites import chat_site

AN_HOUR_BACK = -3600
CHANNEL = "events-room-x"


@pytest.fixture
def clock():
    assert settable_clock_library(), "libfaketime is not installed; ./dev check installs it"
    settable = SettableClock()
    yield settable
    settable.remove()


def start(servers, listener, clock, **directives):
    return servers.apache(lambda a: chat_site(a.database, listener.url + "?key=changeme",
                                              **directives), environment=clock.environment)


def set_back(clock, client, room="other"):
    """Sets it, and looks whether the module sees that."""
    before = client.say(room, "before")["date"]
    clock.set_ahead(AN_HOUR_BACK)
    after = client.say(room, "after")["date"]
    late = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 3000))
    assert after < late < before


def hints(listener):
    return [item for item in listener.items(CHANNEL)
            if item["formats"]["http-stream"].get("action") == "hint"]


def ids(listener):
    return [item["id"] for item in listener.items(CHANNEL) if "id" in item]


@pytest.mark.mpm
def test_publishing_and_its_pace_go_on(servers, clock):
    listener = servers.listener()
    client = start(servers, listener, clock, PublishRate="2 1").client
    client.say("x", "1")
    wait_until(lambda: ids(listener) == ["1"], 5, "first item")
    client.say("x", "2")  # has to rest for half a second
    set_back(clock, client)
    wait_until(lambda: ids(listener) == ["1", "2"], 5, "item that rested while the clock was set")
    for number in range(3, 6):
        client.say("x", str(number))
    wait_until(lambda: ids(listener)[-1] == "5", 5, "last item of the flood")
    clock.set_ahead(0)
    client.say("x", "6")
    wait_until(lambda: ids(listener)[-1] == "6", 5, "item after the clock was right again")


def test_a_trailing_hint_comes_in_time(servers, clock):
    listener = servers.listener()
    client = start(servers, listener, clock).client
    held = client.get(events_path("x"), Grip_Sig=grip.token(expires_in=7200))
    assert held.header("Grip-Hold") == "stream"
    client.say("x", "1")
    listener.wait_for_items(1, CHANNEL)
    set_back(clock, client)
    wait_until(lambda: hints(listener), 4, "trailing hint")
    # And of a hold that is answered, and a message that is published, by the clock that was set.
    held = client.get(events_path("x"), Grip_Sig=grip.token(expires_in=7200))
    assert held.header("Grip-Hold") == "stream"
    client.say("x", "2")
    wait_until(lambda: len(hints(listener)) == 2, 4, "second trailing hint")


def test_a_proxy_that_was_down_is_tried_again_in_time(servers, clock):
    listener = servers.listener()
    listener.status = 500
    apache = start(servers, listener, clock)
    apache.error_log.allow(r"\[grip_chat:warn\].*GC0301")
    apache.client.say("x", "1")
    listener.wait_for_publishes(3)  # so that the pause is some tenths of a second
    set_back(clock, apache.client)
    listener.status = 200
    wait_until(lambda: any(publish.status == 200 for publish in listener.publishes), 10,
               "publish once the proxy is well")


def test_the_keeper_changes_in_time(servers, clock):
    listener = servers.listener()
    apache = start(servers, listener, clock)
    keeper = apache.keeper()
    set_back(clock, apache.client)
    begin = time.monotonic()
    apache.graceful()
    assert apache.keeper() != keeper and time.monotonic() - begin < 60
    assert apache.client.say("x", "1")["text"] == "1"
    wait_until(lambda: ids(listener) == ["1"], 5, "item of the next keeper")
