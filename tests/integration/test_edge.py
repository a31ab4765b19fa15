"""The whole chain as in production: edge app, a GRIP proxy, Apache. Fastly's part is played by
edge/local and Pushpin."""

import pytest

from harness.chat import Chat
from harness.client import events_path, messages_path
from harness.edge_app import MODULE, EdgeApp

pytestmark = pytest.mark.skipif(not MODULE.exists(), reason="edge/build.sh was not run")


@pytest.fixture
def chain(servers):
    chat = Chat(servers)
    edge = servers.keep(EdgeApp(chat.apache.port, chat.pushpin.port), EdgeApp.stop).start()
    return chat, edge


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
