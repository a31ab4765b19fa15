"""Virtual hosts, tenants, and living on somebody's existing site."""

import sqlite3
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import grip
from harness.client import events_path, messages_path
from harness.processes import wait_until
from harness.sites import Host, chat_site, vhost


@pytest.fixture(scope="module")
def listeners(module_servers):
    return [module_servers.listener() for _ in range(3)]


@pytest.fixture(scope="module")
def apache(module_servers, listeners):
    """Two hosts of one site, one tenant in the same database, one with its own."""
    shared, tenant, own = listeners

    def site(a):
        return "".join([
            vhost(a, "plain", chat_site(a.database, shared.url + "?key=shared")),
            vhost(a, "secure", chat_site(a.database, shared.url + "?key=shared")),
            vhost(a, "tenant", chat_site(a.database, tenant.url + "?key=tenant", Site="tenant",
                                         ChannelPrefix="tenant-")),
            vhost(a, "own", chat_site(a.database.with_name("own.db"), own.url + "?key=own")),
            vhost(a, "none", '<Location "/rooms/">\nSetHandler grip-chat\nRequire all granted\n'
                             "</Location>\n")])
    return module_servers.apache(site)


@pytest.fixture
def hosts(apache):
    return [Host(apache.client, name) for name in ("plain", "secure", "tenant", "own")]


def test_hosts_of_one_site_share_rooms_and_tenants_do_not(hosts, room):
    plain, secure, tenant, own = hosts
    for host, text in ((plain, "p"), (secure, "s"), (tenant, "t"), (own, "o")):
        host.say(room, text)
    assert plain.texts(room) == secure.texts(room) == ["s", "p"]
    assert tenant.texts(room) == ["t"] and own.texts(room) == ["o"]
    assert tenant.get(messages_path(room)).json["last-event-id"] == f"room-{room}:1"


def test_each_site_publishes_to_its_own_proxy_and_channel(hosts, listeners, room):
    plain, _, tenant, own = hosts
    for host in (plain, tenant, own):
        host.say(room, "x")
    seen = []
    for listener in listeners:
        items = wait_until(lambda of=listener.items: [
            i["channel"] for i in of() if i["channel"].endswith(f"room-{room}")], 10, "item")
        seen.append(items)
    assert seen[0] == seen[2] == [f"events-room-{room}"]
    assert len(seen[1]) == 1 and "tenant-" in seen[1][0]


def test_each_site_knows_only_its_own_proxy(hosts, room):
    plain, secure, tenant, own = hosts
    for host, key in ((plain, "shared"), (secure, "shared"), (tenant, "tenant"), (own, "own")):
        for other in ("shared", "tenant", "own"):
            answer = host.get(events_path(room), Grip_Sig=grip.token(other))
            assert (answer.header("Grip-Hold") == "stream") == (key == other)


def test_a_locked_database_holds_up_its_own_site_only(servers, room):
    """Also where children have connections to the keeper that they used for that site last."""
    apache = servers.apache(lambda a: "".join([
        vhost(a, "locked", chat_site(a.database, "none")),
        vhost(a, "free", chat_site(a.database.with_name("free.db"), "none"))]))
    apache.error_log.allow(r"\[grip_chat:warn\].*GC0202")
    locked, free = (Host(apache.client, name) for name in ("locked", "free"))
    with ThreadPoolExecutor(16) as crowd:
        for _ in range(3):
            list(crowd.map(lambda n: locked.say(room, str(n)), range(32)))
        # Not before there is a file: who opens it makes it, and it would be his.
        holder = sqlite3.connect(apache.database, isolation_level=None)
        free.say(room, "before")
        holder.execute("BEGIN IMMEDIATE")
        waiting = [crowd.submit(locked.post, room, "late") for _ in range(2)]
        time.sleep(0.2)
        # Each that waited for the lock would take 1.5 s, and the posts to the locked site give up after 5 s.
        for n in range(8):
            free.say(room, str(n))
        still_waiting = not any(post.done() for post in waiting)
        holder.execute("ROLLBACK")
    holder.close()
    assert still_waiting


def test_a_link_of_one_site_is_not_valid_at_another(hosts, room):
    plain, secure, tenant, _ = hosts
    uri, _ = grip.parse_link(
        plain.get(events_path(room), Grip_Sig=grip.token("shared")).header("Grip-Link"))
    assert secure.get(uri, Grip_Sig=grip.token("shared")).status == 200
    assert 400 <= tenant.get(uri, Grip_Sig=grip.token("tenant")).status < 500


def test_a_handler_without_a_site_is_refused_with_a_sentence(apache):
    apache.error_log.allow(r"\[grip_chat:error\].*GripChatDatabase")
    answer = Host(apache.client, "none").get(messages_path("x"))
    assert answer.status in (500, 503)
    apache.error_log.wait_for(r"\[grip_chat:error\].*GripChatDatabase")


# -- mounted anywhere ------------------------------------------------------------------------------

def test_rooms_may_be_mounted_below_another_path(servers):
    proxy = servers.listener()
    apache = servers.apache(lambda a: chat_site(a.database, proxy.url + "?key=changeme",
                                                location="/site/chat/rooms/"))
    client, path = apache.client, "/site/chat/rooms/x/"
    assert client.form(path + "messages/", {"from": "al", "text": "hi"}).status == 200
    assert client.get(path + "messages/").json["last-event-id"] == "room-x:1"
    answer = client.get(path + "events/", Grip_Sig=grip.token())
    uri, _ = grip.parse_link(answer.header("Grip-Link"))
    assert urllib.parse.urlsplit(uri).path == path + "events/"
    answer = client.get(uri, Grip_Sig=grip.token(), Grip_Last="events-room-x; last-id=1")
    assert answer.status == 200 and answer.header("Grip-Hold") == "stream"
    moved = client.get(path + "messages")
    assert moved.status == 301
    assert urllib.parse.urlsplit(moved.header("Location")).path == path + "messages/"
    apache.error_log.allow("AH01630")
    assert client.get("/rooms/x/messages/").status in (403, 404)


def existing_site(apache, more="", htaccess=None):
    """A site of plain files with the handler set for all of it."""
    htdocs = apache.directory / "htdocs"
    (htdocs / "rooms").mkdir(parents=True)
    (htdocs / "page.html").write_text("a page\n")
    if htaccess is not None:
        (htdocs / "rooms" / ".htaccess").write_text(htaccess)
    return (f'DocumentRoot "{htdocs}"\n<Directory "{htdocs}">\n    AllowOverride All\n'
            f"    Require all granted\n</Directory>\n{more}")


def test_everything_but_rooms_is_left_to_the_site(servers):
    proxy = servers.listener()
    apache = servers.apache(
        lambda a: existing_site(a) + chat_site(a.database, proxy.url, location="/"))
    assert apache.client.get("/page.html").text == "a page\n"
    assert apache.client.get("/nothing.html").status == 404
    assert apache.client.form("/rooms/x/messages/", {"from": "al", "text": "hi"}).status == 200
    assert apache.client.get("/deep/rooms/x/messages/").status in (200, 404)


def test_the_handler_may_be_set_in_htaccess(servers):
    proxy = servers.listener()

    def site(apache):
        directives = chat_site(apache.database, proxy.url).partition("<Location")[0]
        return existing_site(apache, directives, "SetHandler grip-chat\n")
    client = servers.apache(site).client
    assert client.form("/rooms/x/messages/", {"from": "al", "text": "hi"}).status == 200
    assert client.get("/rooms/x/events/").status == 200
    assert client.get("/page.html").text == "a page\n"


def test_a_require_in_htaccess_is_not_bypassed(servers):
    proxy = servers.listener()

    def site(apache):
        directives = chat_site(apache.database, proxy.url).partition("<Location")[0]
        return existing_site(apache, directives, "SetHandler grip-chat\nRequire all denied\n")
    apache = servers.apache(site)
    apache.error_log.allow(r"AH01630")
    client = apache.client
    for answer in (client.get("/rooms/x/messages/"), client.get("/rooms/x/events/"),
                   client.get("/rooms/x/events/", Grip_Sig=grip.token()),
                   client.form("/rooms/x/messages/", {"from": "al", "text": "hi"})):
        assert answer.status == 403 and answer.header("Grip-Hold") is None
