"""What a proxy gets from the module: items, authorization, and what happens when it is not well."""

import base64
import json
import time
import urllib.parse

import jwt
import pytest

from harness import grip, sse
from harness.client import Connection, events_path
from harness.load import Senders
from harness.processes import wait_until
from harness.sites import chat_site

PUBLISH_FAILED = r"\[grip_chat:warn\]"


def site_for(listener, query="", **directives):
    return lambda apache: chat_site(apache.database, listener.url + query, **directives)


def action(item):
    return item["formats"]["http-stream"].get("action")


def contents(items):
    """The items that carry events; a hint carries none."""
    return [item for item in items if action(item) is None]


def events_of(item):
    return sse.parse(item["formats"]["http-stream"]["content"].encode())[1]


def wait_for_hint(listener, channel, after=0, timeout=15):
    return wait_until(lambda: [i for i in listener.items(channel)[after:] if action(i) == "hint"],
                      timeout, f"hint for {channel}")


# -- the request -----------------------------------------------------------------------------------

def test_a_message_is_published_as_documented(servers):
    listener = servers.listener()
    client = servers.apache(site_for(listener)).client
    message = client.say("default", "hello\n\"🙂\"")
    publish = listener.wait_for_publishes(1)[0]
    assert (publish.method, publish.path) == ("POST", "/publish/")
    assert publish.headers["Content-Type"] == "application/json"
    assert int(publish.headers["Content-Length"]) == len(publish.body)
    assert publish.headers["Authorization"] is None and publish.headers["Expect"] is None
    content = publish.items[0]["formats"]["http-stream"]["content"]
    assert json.loads(publish.body) == {"items": [{
        "channel": "events-room-default", "id": "1", "prev-id": "0",
        "formats": {"http-stream": {"content": content}}}]}
    event, = sse.parse(content.encode())[1]
    assert (event.kind, event.id, event.json) == ("message", "room-default:1", message)


def test_ids_follow_each_other_within_a_room(servers):
    listener = servers.listener()
    client = servers.apache(site_for(listener)).client
    for number in range(1, 4):
        client.say("a", f"a{number}")
        listener.wait_for_items(number, "events-room-a")
    client.say("b", "b1")
    listener.wait_for_items(1, "events-room-b")
    assert [(i["prev-id"], i["id"]) for i in listener.items("events-room-a")] == \
        [("0", "1"), ("1", "2"), ("2", "3")]
    assert [(i["prev-id"], i["id"]) for i in listener.items("events-room-b")] == [("0", "1")]


@pytest.mark.mpm
def test_a_flood_is_published_whole_in_order_and_in_fewer_items(servers):
    listener = servers.listener()
    apache = servers.apache(site_for(listener))
    senders = Senders(apache.port, ["flood"], each=50).join()
    assert not senders.failures
    channel = "events-room-flood"
    wait_until(lambda: (listener.items(channel) or [{"id": ""}])[-1].get("id") == "400", 20,
               "last message as an item")
    items = contents(listener.items(channel))
    assert [item["prev-id"] for item in items] == ["0"] + [item["id"] for item in items[:-1]]
    events = [event for item in items for event in events_of(item)]
    assert [event.id for event in events] == [f"room-flood:{n}" for n in range(1, 401)]
    for item in items:
        found = events_of(item)
        assert found[-1].id == "room-flood:" + item["id"]
        assert len(found) == int(item["id"]) - int(item["prev-id"])
    assert len(items) < 400
    assert max(len(publish.body) for publish in listener.publishes) < 1_000_000


def test_large_messages_stay_below_what_pushpin_takes(servers):
    listener = servers.listener()
    listener.delay = 0.2
    apache = servers.apache(site_for(listener, MaxText=131072))
    for _ in range(12):
        apache.client.say("big", '"' * 131000)
    channel = "events-room-big"
    wait_until(lambda: (listener.items(channel) or [{"id": ""}])[-1].get("id") == "12", 20,
               "last large message as an item")
    assert max(len(publish.body) for publish in listener.publishes) <= 1_000_000


def wait_for_last(listener, rooms, count):
    wait_until(lambda: all((listener.items(f"events-room-{room}") or [{"id": ""}])[-1].get("id") ==
                           str(count) for room in rooms), 20, f"event {count} of each of {rooms}")


def hold_a_publish(listener, client):
    """Has a POST under way for a second, so that what comes next waits for it."""
    listener.delay = 1
    client.say("first", "x")
    listener.wait_for_publishes(1)
    listener.delay = 0


@pytest.mark.parametrize("size, fewest, most", [(1024, 4, 9), (None, 1, 1)])
def test_items_are_split_at_their_size(servers, size, fewest, most):
    listener = servers.listener()
    client = servers.apache(site_for(listener, ItemSize=size)).client
    hold_a_publish(listener, client)
    for number in range(8):
        client.say("x", f"{number}" * 300)
    client.say("x", "a longer one travels alone" * 100)
    wait_for_last(listener, "x", 9)
    items = contents(listener.items("events-room-x"))
    assert [item["prev-id"] for item in items] == ["0"] + [item["id"] for item in items[:-1]]
    assert [event.id for item in items for event in events_of(item)] == \
        [f"room-x:{number}" for number in range(1, 10)]
    assert fewest <= len(items) <= most
    if size:
        assert all(len(item["formats"]["http-stream"]["content"].encode()) <= size
                   for item in items[:-1])
        assert len(events_of(items[-1])) == 1


def test_items_of_several_rooms_share_a_post_up_to_what_pushpin_takes(servers):
    listener = servers.listener()
    client = servers.apache(site_for(listener)).client
    rooms = ["a", "b", "c", "d"]
    hold_a_publish(listener, client)
    for number in range(5):
        for room in rooms:
            client.say(room, f"{number}" * 60000)
    wait_for_last(listener, rooms, 5)
    bodies = [publish.body for publish in listener.publishes]
    assert max(len(body) for body in bodies) <= 1_000_000
    fullest = max(listener.publishes, key=lambda publish: len(publish.body))
    assert len(fullest.body) > 900_000 and len({i["channel"] for i in fullest.items}) > 1
    for room in rooms:
        items = listener.items(f"events-room-{room}")
        assert [item["id"] for item in items] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("name", ["ü, ;\"'", "🎉"])
def test_the_channel_is_the_one_that_holds_name(servers, name):
    listener = servers.listener()
    client = servers.apache(site_for(listener, "?key=changeme")).client
    held = client.get(events_path(name), Grip_Sig=grip.token())
    channel, _ = grip.parse_channel(held.header("Grip-Channel"))
    client.say(name, "x")
    item = listener.wait_for_items(1, channel)[0]
    assert urllib.parse.unquote(events_of(item)[0].id) == f"room-{name}:1"


def test_the_channel_prefix_is_the_sites_own(servers):
    listener = servers.listener()
    client = servers.apache(site_for(listener, "?key=changeme", ChannelPrefix="tenant-a-")).client
    channel, _ = grip.parse_channel(
        client.get(events_path("x"), Grip_Sig=grip.token()).header("Grip-Channel"))
    assert "tenant-a-" in channel and channel.endswith("room-x")
    client.say("x", "y")
    assert listener.wait_for_items(1)[0]["channel"] == channel


def test_the_control_uri_may_have_a_path(servers):
    listener = servers.listener()
    client = servers.apache(site_for(listener, "service/abc/?key=k")).client
    client.say("x", "y")
    assert listener.wait_for_publishes(1)[0].path == "/service/abc/publish/"


def test_other_query_parameters_stay_in_the_control_uri(servers):
    listener = servers.listener()
    client = servers.apache(site_for(listener, "?key=k&region=eu&iss=me")).client
    client.say("x", "y")
    assert listener.wait_for_publishes(1)[0].path in ("/publish/?region=eu", "/publish?region=eu")


# -- authorization ---------------------------------------------------------------------------------

def authorization(servers, url):
    """What the listener sees for a GRIP_URL in which {} stands for its host and port."""
    listener = servers.listener()
    address = f"127.0.0.1:{listener.port}"
    apache = servers.apache(lambda a: chat_site(a.database, url.format(address)))
    apache.client.say("x", "y")
    return listener.wait_for_publishes(1)[0].headers["Authorization"]


@pytest.mark.parametrize("setting, key", [
    ("secret", b"secret"),
    (urllib.parse.quote(grip.setting(b"\xff\xfe\x00key>?")), b"\xff\xfe\x00key>?"),
    # A + that a query decoder turns into a space.
    ("base64:" + base64.b64encode(b"\xfb\xef\xbe").decode(), b"\xfb\xef\xbe")])
def test_key_and_issuer_make_a_bearer_jwt(servers, setting, key):
    kind, token = authorization(servers, "http://{}/?iss=realm&key=" + setting).split(" ")
    assert kind == "Bearer"
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    claims = jwt.decode(token, key, algorithms=["HS256"], options={"require": ["exp", "iss"]})
    assert claims["iss"] == "realm"
    assert time.time() < claims["exp"] <= time.time() + 3700


def test_a_key_alone_is_the_bearer_token_itself(servers):
    assert authorization(servers, "http://{}/?key=api-token_1") == "Bearer api-token_1"


def test_user_and_password_make_basic(servers):
    value = authorization(servers, "http://us%65r:p%40ss@{}/")
    assert value == "Basic " + base64.b64encode(b"user:p@ss").decode()


def test_no_key_makes_no_authorization(servers):
    assert authorization(servers, "http://{}/") is None


def test_no_key_reaches_the_log(servers):
    listener = servers.listener()
    listener.status = 401
    apache = servers.apache(site_for(listener, "?iss=realm&key=s3cret-k3y"), log_level="trace8")
    apache.error_log.allow(PUBLISH_FAILED, r"\[grip_chat:error\]")
    apache.client.say("x", "confidential text", sender="confidential name")
    token = listener.wait_for_publishes(2)[0].headers["Authorization"].split(" ")[1]
    log = "\n".join(line for line in apache.error_log.lines() if "[grip_chat:" in line)
    for secret in ("s3cret-k3y", token, "confidential"):
        assert secret not in log


# -- several proxies, and proxies that are not well ------------------------------------------------

def test_each_of_several_proxies_gets_everything(servers):
    one, two = servers.listener(), servers.listener()
    apache = servers.apache(
        lambda a: chat_site(a.database, one.url + "?key=1", two.url + "?key=2"))
    for number in range(5):
        apache.client.say("x", str(number))
    for listener, key in ((one, "1"), (two, "2")):
        wait_until(lambda items=listener.items: items() and items()[-1]["id"] == "5", 10,
                   "last item")
        events = [e for item in contents(listener.items()) for e in events_of(item)]
        assert [event.json["text"] for event in events] == list("01234")
        assert listener.publishes[0].headers["Authorization"] == "Bearer " + key


def test_a_proxy_that_is_down_does_not_delay_the_other_one(servers):
    down, well = servers.listener(), servers.listener()
    down.delay = 15
    apache = servers.apache(
        lambda a: chat_site(a.database, down.url + "?key=1", well.url + "?key=2"))
    apache.client.say("x", "warm")
    well.wait_for_items(1)
    begin = time.monotonic()
    apache.client.say("x", "quick")
    well.wait_for_items(2, timeout=12)
    assert time.monotonic() - begin < 12


@pytest.mark.parametrize("trouble", ["500", "503", "429", "close"])
def test_a_room_whose_publish_failed_is_hinted_when_the_proxy_is_well_again(servers, trouble):
    listener = servers.listener()
    apache = servers.apache(site_for(listener))
    apache.error_log.allow(PUBLISH_FAILED)
    apache.client.say("x", "fine")
    listener.wait_for_items(1)
    listener.status = listener.CLOSE if trouble == "close" else int(trouble)
    apache.client.say("x", "failed")
    listener.wait_for_publishes(2)
    listener.status = 200
    before = len(listener.items("events-room-x"))
    wait_for_hint(listener, "events-room-x", after=before)
    # Until the keeper has heard that the hint was taken, rooms only get more hints.
    apache.error_log.wait_for("GC0302")
    apache.client.say("x", "fine again")
    wait_until(lambda: any(i.get("id") == "3" for i in listener.items("events-room-x")), 10,
               "item after the outage")
    taken = [item for p in listener.publishes if p.status == 200 for item in p.items]
    assert [i["id"] for i in contents(taken)] == ["1", "3"]


def test_what_was_never_sent_is_published_when_the_proxy_is_back(servers):
    listener = servers.listener()
    apache = servers.apache(site_for(listener))
    apache.error_log.allow(PUBLISH_FAILED)
    apache.client.say("x", "fine")
    listener.wait_for_items(1)
    listener.stop()
    apache.client.say("x", "kept")
    apache.error_log.wait_for("GC0301")
    apache.client.say("x", "kept too")
    listener.start()
    wait_until(lambda: any(i.get("id") == "3" for i in listener.items("events-room-x")), 10,
               "item of what was kept")
    assert [i["id"] for i in contents(listener.items())][-1:] == ["3"]
    texts = [event.json["text"] for item in listener.items() for event in events_of(item)]
    assert texts == ["fine", "kept", "kept too"]


def test_a_proxy_that_is_gone_for_longer_gets_hints(servers):
    listener = servers.listener()
    apache = servers.apache(site_for(listener))
    apache.error_log.allow(PUBLISH_FAILED)
    apache.client.say("x", "fine")
    listener.wait_for_items(1)
    listener.stop()
    apache.client.say("x", "lost")
    time.sleep(6)
    listener.start()
    wait_for_hint(listener, "events-room-x")
    assert [i["id"] for i in contents(listener.items())] == ["1"]


def test_a_proxy_that_refuses_everything_for_a_while_gets_hints(servers):
    """A 4xx is mostly about one item, and sometimes about everything."""
    listener = servers.listener()
    apache = servers.apache(site_for(listener))
    apache.error_log.allow(PUBLISH_FAILED, r"\[grip_chat:error\]")
    listener.status = 405
    for room in "xyz":
        apache.client.say(room, "refused")
    wait_until(lambda: any(action(i) for i in listener.items("events-room-z")), 10, "refused hint")
    listener.clear()
    listener.status = 200
    for room in "xyz":
        wait_for_hint(listener, f"events-room-{room}")


def test_an_outage_is_hinted_at_a_pace(servers):
    listener = servers.listener()
    apache = servers.apache(site_for(listener))
    apache.error_log.allow(PUBLISH_FAILED)
    listener.status = 500
    rooms = [f"r{number}" for number in range(120)]
    with Connection(apache.port) as connection:
        for room in rooms:
            connection.say(room, "lost")
        listener.wait_for_publishes(1)
        listener.status = 200
        begin = time.monotonic()
        wait_until(lambda: {i["channel"] for p in listener.publishes if p.status == 200
                            for i in p.items} >= {f"events-room-{room}" for room in rooms}, 60,
                   "hint for every room")
    taken = [p for p in listener.publishes if p.status == 200]
    for first in taken:
        hints = sum(1 for p in taken if 0 <= p.time - first.time < 1 for i in p.items if action(i))
        assert hints <= 50 + 12, f"{hints} hints in a second"
    assert time.monotonic() - begin > 3, "70 hints beyond the burst, ten a second"


def test_posting_goes_on_while_the_proxy_is_down(servers):
    listener = servers.listener()
    apache = servers.apache(site_for(listener))
    apache.error_log.allow(PUBLISH_FAILED)
    listener.stop()
    senders = Senders(apache.port, ["x", "y"], each=25).join()
    assert not senders.failures and senders.total == 200


def test_an_item_that_the_proxy_refuses_is_dropped_and_its_room_hinted(servers):
    listener = servers.listener()
    listener.decide = lambda publish: 400 if b"poison" in publish.body else 200
    apache = servers.apache(site_for(listener))
    apache.error_log.allow(PUBLISH_FAILED, r"\[grip_chat:error\]")
    listener.delay = 0.3
    apache.client.say("first", "so that the others gather")
    for number in range(8):
        apache.client.say(f"r{number}", "poison" if number == 5 else "fine")
    listener.delay = 0
    channels = {f"events-room-r{number}" for number in range(8)}
    wait_until(lambda: {i["channel"] for p in listener.publishes
                        if p.status == 200 for i in p.items} >= channels,
               15, "item for every room")
    taken = [i for p in listener.publishes if p.status == 200 for i in p.items]
    assert {i["channel"] for i in contents(taken)} >= channels - {"events-room-r5"}
    assert [action(i) for i in taken if i["channel"] == "events-room-r5"] == ["hint"]
