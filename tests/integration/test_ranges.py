"""A part of a list or of a stream is worth nothing to anybody: ranges are ignored."""

import json

import pytest

from harness import grip
from harness.client import events_path, messages_path, pipeline
from harness.sites import chat_site


@pytest.fixture(scope="module")
def apache(module_servers):
    proxy = module_servers.listener()
    return module_servers.apache(
        lambda a: chat_site(a.database, proxy.url + "?key=changeme", PublishRate="Off"), told=proxy)


@pytest.mark.parametrize("lines", [["Range: bytes=99999-"], ["Range: bytes=10-20"],
                                   ["Range: bytes=0-0,5-9"], ["Range: bytes=-1"],
                                   ["Range: bytes=10-20", 'If-Range: "x"']], ids=lambda x: x[-1])
@pytest.mark.parametrize("is_signed", [False, True], ids=["client", "proxied"])
@pytest.mark.parametrize("which", [messages_path, events_path], ids=["messages", "events"])
def test_a_range_is_answered_in_full_and_the_connection_goes_on(apache, room, which, is_signed,
                                                                lines):
    apache.client.say(room, "here")
    sig = [f"Grip-Sig: {grip.token()}"] if is_signed else []
    position = f"Last-Event-ID: room-{room}:0"
    asked, plain, second = pipeline(apache.port, [which(room), position, *lines, *sig],
                                    [which(room), position, *sig], [messages_path(room)])
    assert (asked.status, plain.status, second.status) == (200, 200, 200)
    assert asked.header("Content-Range") is None
    assert b'"here"' in asked.body and len(asked.body) == int(asked.header("Content-Length"))
    if which is messages_path:  # a stream has another `retry:` each time
        assert asked.body == plain.body
    held = is_signed and which is events_path
    assert (asked.header("Grip-Hold") == "stream") == held
    assert [m["text"] for m in json.loads(second.body)["messages"]] == ["here"]


@pytest.mark.parametrize("which", [messages_path, events_path], ids=["messages", "events"])
def test_no_range_is_offered(apache, room, which):
    assert apache.client.get(which(room)).header("Accept-Ranges") in (None, "none")
