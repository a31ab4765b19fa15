"""The whole chain as in production: edge app, a GRIP proxy, Apache. Fanout's part is played by Pushpin, that
of Compute by edge/local, and by Viceroy where it is installed."""

import pytest

from harness.chat import Chat
from harness.client import events_path, messages_path
from harness.edge_app import MODULE, EdgeApp, Viceroy

pytestmark = pytest.mark.skipif(not MODULE.exists(), reason="edge/build.sh was not run")

HOSTS = [pytest.param(EdgeApp, id="stand-in"),
         pytest.param(Viceroy, id="viceroy", marks=pytest.mark.skipif(
             not Viceroy.is_installed(), reason="viceroy is not installed"))]


def edge_of(servers, chat, kind=EdgeApp):
    if kind is Viceroy:
        # It asks the backend for / as it starts, which an Apache of the tests refuses.
        chat.apache.error_log.allow("AH01630")
    app = kind(chat.apache.port, chat.pushpin.port)
    return servers.keep(app, kind.stop).start()


@pytest.fixture(params=HOSTS)
def chain(servers, request):
    chat = Chat(servers)
    return chat, edge_of(servers, chat, request.param)


def test_a_post_through_the_edge_is_seen_in_a_stream_through_the_edge(servers, chain):
    _, edge = chain
    reader = servers.event_source(edge.port, events_path("x"))
    reader.wait_open()
    for text in ("one", "two ✓"):
        answer = edge.client.form(messages_path("x"), {"from": "al", "text": text})
        assert answer.status == 200, answer
    reader.wait_messages(2)
    assert reader.texts == ["one", "two ✓"]


def test_a_reader_who_returns_through_the_edge_has_what_he_missed(servers, chain):
    chat, edge = chain
    for i in range(130):
        chat.apache.client.say("x", str(i))
    reader = servers.event_source(edge.port, events_path("x"), last_event_id="room-x:5")
    reader.wait_messages(125)
    edge.client.form(messages_path("x"), {"from": "al", "text": "live"})
    reader.wait_messages(126)
    assert reader.numbers == list(range(6, 132))


def test_the_origins_answers_pass_through_the_edge_unchanged(chain):
    chat, edge = chain
    chat.apache.client.say("x", "m")
    for path in (messages_path("x"), "/rooms/x/events"):
        ours, theirs = (client.get(path) for client in (edge.client, chat.apache.client))
        assert (ours.status, ours.body) == (theirs.status, theirs.body)
        for name in ("ETag", "Cache-Control", "Content-Type", "X-Content-Type-Options", "Allow"):
            assert ours.header(name) == theirs.header(name), name


def test_the_apps_own_files_do_not_come_from_the_origin(chain):
    _, edge = chain
    manifest = edge.client.get("/.well-known/fastly/demo-manifest")
    assert manifest.status == 200 and b"schemaVersion: 1" in manifest.body
    picture = edge.client.get("/images/screenshot.png")
    assert picture.status == 200 and picture.header("Content-Type") == "image/png"


def test_a_stream_is_held_and_only_where_the_path_is_plain(servers, chain):
    _, edge = chain
    reader = servers.event_source(edge.port, events_path("a b")).wait_open()
    edge.client.form(messages_path("a b"), {"from": "al", "text": "live"})
    reader.wait_messages(1)
    assert len(reader.connects) == 1, "the stream was not held"
    # The origin reads the same room in these, and lets the client poll.
    for path in ("//rooms/x/events/", "/rooms//x/events/", "/rooms/y/../x/events/"):
        answer = edge.client.get(path)
        assert answer.status == 200 and b"retry:" in answer.body, path


def test_an_origin_that_is_gone_is_a_502_in_the_origins_own_form(servers, chain):
    chat, edge = chain
    chat.apache.error_log.allow(r"\[grip_chat:warn\]")
    chat.apache.stop()
    answer = edge.client.get(messages_path("x"))
    assert answer.status == 502 and answer.json["error"]["code"] == "origin-unreachable"
    assert answer.header("Cache-Control") == "no-store"


def test_a_host_name_that_nobody_knows_keeps_others_from_the_origin(servers):
    """docs/fastly.md: the backend's override host, which the requests for next links have too."""
    secret = "f00ba4.origin.invalid"
    chat = Chat(servers, apache_lines="<If \"%{HTTP_HOST} != '" + secret + "'\">\n"
                "    Require all denied\n</If>\n")
    chat.apache.error_log.allow(r"AH01630: client denied")
    assert chat.apache.client.get(messages_path("x")).status == 403
    assert chat.apache.client.get(messages_path("x"), Host=secret).status == 200
    reader = servers.event_source(chat.pushpin.port, events_path("x"), headers={"Host": secret})
    reader.wait_open()
    chat.apache.client.form(messages_path("x"), {"from": "al", "text": "live"}, Host=secret)
    reader.wait_messages(1)
