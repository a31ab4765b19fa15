"""What the page of mod_status tells of a child."""

import pytest

from harness import grip
from harness.client import events_path, messages_path
from harness.held import is_held
from harness.processes import wait_until
from harness.raw_stream import RawStream
from harness.sites import Host, chat_site, status_page, vhost

# So that each page is of the child that answered the requests.
ONE_CHILD = ("StartServers 1\nServerLimit 1\nMinSpareThreads 1\nMaxSpareThreads 25\n"
             "MaxRequestWorkers 25\n")


@pytest.fixture
def apache(servers):
    """Two sites, of which one has a host with a name that HTML must not take for its own."""
    proxy = servers.listener()

    def site(apache):
        return (status_page() + ONE_CHILD + "GripChatCacheSize 1M\n" +
                vhost(apache, "one", chat_site(apache.database, proxy.url + "?key=changeme")) +
                vhost(apache, "a&lt;b", chat_site(apache.database.with_name("other.db"), "none",
                                                  Site="other")))
    return servers.apache(site, mpm="event")


def figures(apache):
    """The lines of ours in the form for programs."""
    lines = apache.client.get("/status?auto").text.splitlines()
    return {name: int(value) for name, _, value in (line.partition(": ") for line in lines)
            if name.startswith("GripChat")}


def test_a_program_reads_what_the_child_has_and_did(apache):
    before = figures(apache)
    child, = apache.children()
    assert before == {"GripChatChild": child, "GripChatRooms": 0, "GripChatRoomBytes": 0,
                      "GripChatRoomBytesLimit": 1048576, "GripChatRoomBytesAlive": 0,
                      "GripChatRoomHits": 0, "GripChatRoomLoads": 0, "GripChatRoomWaits": 0,
                      "GripChatSignatureHits": 0, "GripChatSignatureChecks": 0,
                      "GripChatStreams": 0, "GripChatStreamsLimit": 56}
    host = Host(apache.client, "one")
    host.say("x", "hello")
    for _ in range(3):
        host.get(messages_path("x"))
    token = grip.token()
    for _ in range(4):
        assert is_held(host.get(events_path("x"), Grip_Sig=token))
    after = figures(apache)
    assert 0 < after.pop("GripChatRoomBytes") < 1048576
    assert 0 < after.pop("GripChatRoomBytesAlive") < 1048576
    assert after == {"GripChatChild": child, "GripChatRooms": 1, "GripChatRoomBytesLimit": 1048576,
                     "GripChatRoomHits": 6, "GripChatRoomLoads": 1, "GripChatRoomWaits": 0,
                     "GripChatSignatureHits": 3, "GripChatSignatureChecks": 1,
                     "GripChatStreams": 0, "GripChatStreamsLimit": 56}


def test_streams_are_counted_as_they_come_and_go(servers):
    apache = servers.apache(lambda a: status_page() + ONE_CHILD +
                            chat_site(a.database, "none", Streams="On", MaxStreams=5), mpm="event")
    streams = [RawStream(apache.port, events_path("x")) for _ in range(7)]
    for stream in streams:
        stream.read_until(b"stream-open")
    assert figures(apache)["GripChatStreams"] == figures(apache)["GripChatStreamsLimit"] == 5
    apache.error_log.allow("GC0178")
    for stream in streams:
        stream.close()
    wait_until(lambda: figures(apache)["GripChatStreams"] == 0, 10, "end of all streams")


def test_a_message_comes_to_a_stream_without_a_read_of_its_room(servers, room):
    """The keeper tells the event itself, which follows what was read when the stream began."""
    apache = servers.apache(lambda a: status_page() + ONE_CHILD +
                            chat_site(a.database, "none", Streams="On"), mpm="event")
    reader = servers.event_source(apache.port, events_path(room)).wait_open()
    apache.client.say(room, "first")
    reader.wait_messages(1)
    before = figures(apache)["GripChatRoomLoads"]
    for number in range(2, 12):
        apache.client.say(room, "hello")
        reader.wait_messages(number)
    assert figures(apache)["GripChatRoomLoads"] == before
    assert reader.numbers == list(range(1, 12))


def test_people_read_the_same_and_each_site(apache):
    token = grip.token()
    for _ in range(3):
        assert is_held(Host(apache.client, "one").get(events_path("x"), Grip_Sig=token))
    page = apache.client.get("/status").text
    child, = apache.children()
    assert f"Of the child {child}, which made this page" in page
    assert "<dt>Grip-Sigs known from memory: 2</dt>" in page
    assert "<dt>Grip-Sigs of the site '' of one: 2 known, 1 verified</dt>" in page
    assert "<dt>Grip-Sigs of the site 'other' of a&amp;lt;b: 0 known, 0 verified</dt>" in page
    assert "a&lt;b" not in page


def test_nothing_is_told_where_there_is_no_site(servers):
    apache = servers.apache(status_page())
    assert figures(apache) == {}
    assert "mod_grip_chat</h2>" not in apache.client.get("/status").text
