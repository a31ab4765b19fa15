"""Next links: how long and where they are good, what is refused, and to which path they lead."""

import os
import re
import signal
import sqlite3
import time
import urllib.parse

import pytest

from harness import grip, paths, sse
from harness.chat import Chat
from harness.client import events_path
from harness.clock import environment_ahead
from harness.processes import kill, wait_until
from harness.sites import Host, chat_site, vhost

SECRET = '"a secret that is long enough to be one, 0123456789"'


@pytest.fixture(scope="module")
def client(module_servers):
    proxy = module_servers.listener()
    return module_servers.apache(
        lambda a: chat_site(a.database, proxy.url + "?key=changeme", PublishRate="Off"),
        told=proxy).client


def signed(client, path, **headers):
    return client.get(path, Grip_Sig=grip.token(expires_in=10 ** 6), **headers)


def link_of(answer):
    return grip.parse_link(answer.header("Grip-Link"))[0]


def numbers(answer):
    _, events = sse.parse(answer.body)
    return [int(event.id.rpartition(":")[2]) for event in events if event.kind == "message"]


def fill(client, room, count):
    for number in range(1, count + 1):
        client.say(room, f"m{number}")


def grip_headers(answer):
    return [name for name in answer.headers if name.lower().startswith("grip-")]


# -- how long, and where ---------------------------------------------------------------------------

def access_log(apache):
    return (apache.directory / "access.log").read_text().splitlines()


def next_requests(apache):
    return [line for line in access_log(apache) if "link=next" in line]


def test_readers_of_a_stream_that_was_busy_are_whole_after_it_went_quiet(servers):
    """While a stream is busy, Pushpin asks nobody, and keeps the link of its hold."""
    chat = Chat(servers, LinkTimeout=1)
    sources = [chat.reader("x").wait_open() for _ in range(3)]
    # Pushpin asks once more about a second after a channel's first hold.
    time.sleep(1.5)
    begin, count = time.monotonic(), 0
    while time.monotonic() - begin < 3:
        chat.apache.client.say("x", f"m{count}")
        count += 1
        time.sleep(0.1)
    busy = len(next_requests(chat.apache))
    wait_until(lambda: len(next_requests(chat.apache)) > busy, 10, "request through the link")
    chat.apache.client.say("x", "after the quiet")
    count += 1
    for source in sources:
        source.wait_messages(count)
        assert source.numbers == list(range(1, count + 1)) and len(source.connects) == 1
    statuses = {line.rpartition('"')[2].split()[0] for line in next_requests(chat.apache)}
    assert statuses == {"200"}, next_requests(chat.apache)[-20:]


def test_a_link_is_good_hours_later(servers):
    proxy = servers.listener().url + "?key=changeme"

    def site(apache):
        apache.environment.update(environment_ahead(apache.directory, 3 * 3600))
        return chat_site(now.database, proxy, SecretKey=SECRET)
    now = servers.apache(lambda a: chat_site(a.database, proxy, SecretKey=SECRET))
    uri = link_of(signed(now.client, events_path("x")))
    now.terminate()
    later = servers.apache(site)
    # So that it is later there at all.
    assert later.client.say("x", "m")["date"] > time.strftime(
        "%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 2 * 3600))
    answer = signed(later.client, uri, Grip_Last="events-room-x; last-id=0")
    assert answer.status == 200 and numbers(answer) == [1], answer


@pytest.mark.parametrize("one, other", [
    ({"Site": "one", "ChannelPrefix": "same-"}, {"Site": "other", "ChannelPrefix": "other-"}),
    ({"ChannelPrefix": "one-"}, {"ChannelPrefix": "other-"}),
    ({}, {})], ids=["names", "prefixes", "databases"])
def test_a_link_is_not_good_at_another_site_with_the_same_secret(servers, one, other):
    proxies = [servers.listener().url + "?key=changeme" for _ in range(2)]

    def site(apache):
        return (vhost(apache, "one", chat_site(apache.database, proxies[0], SecretKey=SECRET,
                                               **one)) +
                vhost(apache, "other", chat_site(apache.database.with_name("other.db"), proxies[1],
                                                 SecretKey=SECRET, **other)))
    client = servers.apache(site).client
    hosts = [Host(client, name) for name in ("one", "other")]
    for host in hosts:
        host.say("x", "m")
    channels = {host: grip.parse_channel(signed(host, events_path("x")).header("Grip-Channel"))[0]
                for host in hosts}
    for host in hosts:
        uri = link_of(signed(host, events_path("x")))
        for where in hosts:
            answer = signed(where, uri, Grip_Last=f"{channels[where]}; last-id=0")
            assert answer.status == 200, answer
            assert bool(grip_headers(answer)) == bool(answer.body) == (where is host)


def test_a_room_in_memory_gets_links_of_a_new_secret(servers):
    """Nothing else in the database changes, so the room stays in memory."""
    proxy = servers.listener().url + "?key=changeme"
    apache = servers.apache(lambda a: chat_site(a.database, proxy))
    apache.client.say("x", "m")
    links = {link_of(signed(apache.client, events_path("x"))) for _ in range(5)}
    assert len(links) == 1
    with sqlite3.connect(apache.database, timeout=10) as shell:
        shell.execute("UPDATE grip_chat_meta SET value = 'another one, long enough, by hand'"
                      " WHERE name = 'secret'")
    shell.close()

    def all_new():
        """A child that asks for the secret first has it while others are yet to be told."""
        found = {link_of(signed(apache.client, events_path("x"))) for _ in range(40)}
        return found if len(found) == 1 and not found & links else None

    new = wait_until(all_new, 5, "link of the new secret").pop()
    last = {"Grip_Last": "events-room-x; last-id=0"}
    assert grip_headers(signed(apache.client, new, **last))
    assert not grip_headers(signed(apache.client, links.pop(), **last))


@pytest.mark.parametrize("is_good", [True, False])
def test_only_a_good_link_is_noted_as_a_hold(servers, is_good):
    """What is noted makes a hint a second after the next message."""
    listener = servers.listener()
    client = servers.apache(
        lambda a: chat_site(a.database, listener.url + "?key=changeme")).client
    client.say("x", "m")
    listener.wait_for_items(1)
    uri = link_of(signed(client, events_path("x")))
    time.sleep(3.5)  # what that noted counts for three seconds
    if not is_good:
        uri = re.sub("token=[^&]*", "token=of-a-stranger", uri)
    assert signed(client, uri, Grip_Last="events-room-x; last-id=1").status == 200
    client.say("x", "m")
    time.sleep(2)
    hints = [item for item in listener.items() if "id" not in item]
    assert len(hints) >= 1 if is_good else not hints


@pytest.mark.parametrize("token, headers, status", [
    (None, {"Grip_Last": "events-room-x; last-id=0"}, 503),
    ("of-another-secret", {"Grip_Last": "events-room-x; last-id=0"}, 200),
    ("of-another-secret", {}, 403)], ids=["good", "void, for a stream", "void"])
def test_a_void_link_is_void_while_the_database_cannot_be_read(servers, token, headers, status):
    """Its stream ends at once, instead of waiting for a database that would not help it."""
    proxy = servers.listener().url + "?key=changeme"
    apache = servers.apache(lambda a: chat_site(a.database, proxy, SecretKey=SECRET, CacheSize="Off"))
    # It may have been looking after the file when it was stopped.
    apache.error_log.allow(r"\[grip_chat:error\].*GC0162", r"\[grip_chat:warn\].*GC0205")
    link = link_of(signed(apache.client, events_path("x")))
    if token:
        link = re.sub("token=.*", f"token={token}", link)
    keeper = apache.keeper()
    # It would make another file.
    kill(keeper, signal.SIGSTOP)
    os.rename(apache.database, f"{apache.database}.away")
    try:
        # A child that has the file open would go on with it.
        for child in (before := apache.children()):
            kill(child, signal.SIGKILL)
        wait_until(lambda: set(apache.children()) - set(before), 20, "new children")
        answer = signed(apache.client, link, **headers)
    finally:
        os.rename(f"{apache.database}.away", apache.database)
        kill(keeper, signal.SIGCONT)
    assert answer.status == status and not grip_headers(answer)
    assert bool(answer.body) == (status != 200)


# -- positions -------------------------------------------------------------------------------------

BAD_LAST = ["nonsense", "bad bad", "", ";", "; last-id=1", "events-room-other; last-id=1",
            "events-room-ROOM", "events-room-ROOM; last-id=", "events-room-ROOM; last-id=abc",
            "events-room-ROOM; last-id=-1", "events-room-ROOM; last-id=99999999999999999999",
            "events-room-ROOM; last-id=1; last-id=2",
            "events-room-ROOM; last-id=1, events-room-ROOM; last-id=2"]


@pytest.mark.parametrize("last", BAD_LAST)
def test_a_next_request_without_a_proper_position_is_refused(client, room, last):
    """To begin from now would skip what came in between, and nobody would notice."""
    fill(client, room, 3)
    uri = link_of(signed(client, events_path(room)))
    answer = signed(client, uri, Grip_Last=last.replace("ROOM", room))
    assert answer.status == 400 and not grip_headers(answer), answer
    assert answer.json["error"]["code"] == "bad-position"
    # The link itself is still good.
    answer = signed(client, uri, Grip_Last=f"events-room-{room}; last-id=1")
    assert numbers(answer) == [2, 3]


def test_a_next_request_without_grip_last_is_answered_as_a_clients(client, room):
    fill(client, room, 3)
    uri = link_of(signed(client, events_path(room)))
    answer = signed(client, uri, Last_Event_ID=f"room-{room}:1")
    assert numbers(answer) == [2, 3] and answer.header("Grip-Hold") == "stream"
    answer = signed(client, uri)
    assert numbers(answer) == [] and answer.header("Grip-Hold") == "stream"
    assert answer.header("Grip-Channel") == f"events-room-{room}; prev-id=3"
    answer = signed(client, uri, Last_Event_ID="room-other:1")
    assert "Grip-Hold" not in answer.headers and "Grip-Channel" not in answer.headers


def test_a_clients_position_does_not_count_beside_grip_last(client, room):
    fill(client, room, 3)
    uri = link_of(signed(client, events_path(room)))
    answer = signed(client, uri, Grip_Last=f"events-room-{room}; last-id=1",
                    Last_Event_ID=f"room-{room}:2")
    assert numbers(answer) == [2, 3]


def test_grip_last_counts_in_next_requests_alone(client, room):
    fill(client, room, 3)
    for last in (f"events-room-{room}; last-id=1", "bad bad"):
        answer = signed(client, events_path(room), Grip_Last=last, Last_Event_ID=f"room-{room}:2")
        assert numbers(answer) == [3] and answer.header("Grip-Hold") == "stream"


def test_a_grip_last_in_two_header_lines_is_one_list(client, room):
    fill(client, room, 3)
    uri = link_of(signed(client, events_path(room)))
    for second, status in ((f"events-room-{room}; last-id=2", b"400"),
                           ("events-room-other; last-id=2", b"200")):
        answer = client.raw((
            f"GET {uri} HTTP/1.1\r\nHost: x\r\nGrip-Sig: {grip.token()}\r\nConnection: close\r\n"
            f"Grip-Last: events-room-{room}; last-id=1\r\nGrip-Last: {second}\r\n\r\n").encode())
        assert answer.startswith(b"HTTP/1.1 " + status), answer
        assert (b"Grip-Hold" in answer) == (status == b"200")


@pytest.mark.parametrize("last, status", [
    (None, 200), ("events-room-other; last-id=7", 200), ("bad bad", 400),
    ("events-room-ROOM; last-id=abc", 400),
    ("events-room-ROOM; last-id=1, events-room-ROOM; last-id=2", 400)])
def test_a_page_has_its_position_in_its_path_but_takes_no_malformed_one(client, room, last, status):
    fill(client, room, 101)
    first = signed(client, events_path(room), Last_Event_ID=f"room-{room}:0")
    assert numbers(first) == list(range(1, 101))
    headers = {} if last is None else {"Grip_Last": last.replace("ROOM", room)}
    answer = signed(client, link_of(first), **headers)
    assert answer.status == status, answer
    assert numbers(answer) == [101] if status == 200 else not grip_headers(answer)


@pytest.mark.parametrize("headers", [{}, {"Grip_Sig": grip.token(expires_in=10 ** 6)}],
                         ids=["client", "proxied"])
def test_a_clients_own_position_wins_over_the_one_in_the_path(client, room, headers):
    fill(client, room, 5)
    path = f"/rooms/{room}/from/1/events/"
    assert numbers(client.get(path, **headers)) == [2, 3, 4, 5]
    assert numbers(client.get(path, Last_Event_ID=f"room-{room}:3", **headers)) == [4, 5]
    assert numbers(client.get(f"{path}?lastEventId=room-{room}:4", **headers)) == [5]
    assert numbers(client.get(path, Last_Event_ID=f"room-{room}:0", **headers)) == [1, 2, 3, 4, 5]


# -- paths -----------------------------------------------------------------------------------------

def test_a_path_too_long_for_a_link_is_the_clients_error(servers):
    proxy = servers.listener()
    long, short = (("/" + "," * length) * 10 for length in (200, 100))
    apache = servers.apache(lambda a: chat_site(
        a.database, proxy.url + "?key=changeme", location="/", Mount=f'"{long}" "{short}"'))
    answer = signed(apache.client, long + events_path("x"))
    assert answer.status == 414 and not grip_headers(answer), answer
    assert set(answer.json["error"]) == {"code", "message"}
    assert apache.client.get(long + events_path("x")).status == 200, "who polls needs no link"
    shorter = signed(apache.client, short + events_path("x"))
    assert shorter.status == 200 and shorter.header("Grip-Hold") == "stream"
    assert not apache.error_log.count(r"\[[\w-]*:(error|crit|alert|emerg)\]")


@pytest.mark.parametrize("mount", ["/My Chat/", "/chät/", "/a,b;c/", '/it\'s 100%/'])
def test_the_link_of_a_mount_is_encoded_and_good(servers, mount):
    proxy = servers.listener()
    apache = servers.apache(lambda a: chat_site(a.database, proxy.url + "?key=changeme",
                                                location=f"{mount}rooms/"))
    answer = signed(apache.client, urllib.parse.quote(mount, safe="/,;'") + "rooms/x/events/")
    assert answer.status == 200 and answer.header("Grip-Hold") == "stream", answer
    uri = link_of(answer)
    assert re.fullmatch(r"[!-~]+", uri) and not re.search(r"[,;\"'<> ]", uri)
    assert urllib.parse.unquote(urllib.parse.urlsplit(uri).path) == f"{mount}rooms/x/events/"
    answer = signed(apache.client, uri, Grip_Last="events-room-x; last-id=0")
    assert answer.status == 200 and answer.header("Grip-Hold") == "stream"


def test_the_link_of_a_path_that_was_rewritten_within_rooms_is_the_public_one(servers):
    proxy = servers.listener()
    apache = servers.apache(lambda a: (
        f'LoadModule rewrite_module "{paths.apache_modules_dir()}/mod_rewrite.so"\nRewriteEngine On\n'
        'RewriteRule "^/public/rooms/(.*)$" "/my chat/rooms/$1" [PT]\n') + chat_site(
            a.database, proxy.url + "?key=changeme", location="/my chat/rooms/", Mount="/public/"))
    uri = link_of(signed(apache.client, "/public/rooms/x/events/"))
    assert urllib.parse.urlsplit(uri).path == "/public/rooms/x/events/"
    assert signed(apache.client, uri, Grip_Last="events-room-x; last-id=0").status == 200
