"""Event streams that the module holds itself: mpm_event, HTTP/1.x, no proxy."""

import os
import re
import signal
import time

import pytest

from harness import paths, sse
from harness.client import Client, events_path
from harness.httpd import MPM, Apache
from harness.processes import kill, wait_until
from harness.raw_stream import RawStream
from harness.sites import Host, chat_site, vhost

pytestmark = pytest.mark.skipif(MPM != "event", reason="only mpm_event can hold a stream")


def own_streams(apache, **directives):
    return chat_site(apache.database, "none", Streams="On", **directives)


@pytest.fixture(scope="module")
def apache(module_servers):
    return module_servers.apache(lambda a: own_streams(a, KeepAlive="1s"))


@pytest.fixture(scope="module")
def client(apache):
    return apache.client


@pytest.fixture
def reader(servers, apache, room):
    """A stream of this test's room."""
    return servers.event_source(apache.port, events_path(room)).wait_open()


@pytest.fixture
def raw(servers, apache):
    """Opens streams that end with the test."""
    def opened(path, *lines, port=apache.port, **options):
        return servers.keep(RawStream(port, path, *lines, **options), RawStream.close)
    return opened


def log_lines(apache, path):
    log = apache.directory / "access.log"
    return [line for line in log.read_text().splitlines() if f'"GET {path} ' in line]


# -- holding --------------------------------------------------------------------------------------


def test_a_message_comes_at_once_on_the_same_connection(client, room, reader):
    for number in range(1, 21):
        said = time.monotonic()
        client.say(room, str(number))
        event = reader.wait_messages(number)[-1]
        assert event.time - said < 1
    assert reader.numbers == list(range(1, 21))
    assert len(reader.connects) == 1


def test_the_first_answer_is_what_a_poll_gets(servers, room, raw):
    apache = servers.apache(lambda a: own_streams(a) + vhost(a, "held.example", "") +
                            vhost(a, "polls.example", "GripChatStreams Off\n"))
    for number in range(3):
        apache.client.say(room, str(number))
    position = f"Last-Event-ID: room-{room}:1"
    theirs = Host(apache.client, "polls.example").get(events_path(room),
                                                      Last_Event_ID=f"room-{room}:1")
    ours = raw(events_path(room), position, port=apache.port).read_until(b'"text": "2"}\n\n')
    # A poll needs no padding: it ends, so nobody waits for the rest of a buffer.
    assert re.fullmatch(rb": {2047,}\n\n(.*)", re.sub(rb"retry: \d+", b"retry:", ours.body), re.S)[1] == \
        re.sub(rb"retry: \d+", b"retry:", theirs.body)
    names = {line.partition(":")[0] for line in ours.head.splitlines()[1:]}
    assert names - {"Connection"} == set(theirs.headers) - {"Connection", "Content-Length"}


def test_a_reader_that_is_behind_gets_the_rest_on_the_same_connection(servers, apache, client,
                                                                      room):
    for number in range(1, 91):
        client.say(room, str(number))
    reader = servers.event_source(apache.port, events_path(room), last_event_id=f"room-{room}:10")
    reader.wait_messages(80)
    client.say(room, "on")
    reader.wait_messages(81)
    assert reader.numbers == list(range(11, 92)) and len(reader.connects) == 1


def test_a_reader_that_is_far_behind_gets_the_pages_on_the_same_connection(servers, apache, client,
                                                                           room):
    for number in range(1, 251):
        client.say(room, str(number))
    reader = servers.event_source(apache.port, events_path(room), last_event_id=f"room-{room}:10")
    reader.wait_messages(240)
    client.say(room, "on")
    reader.wait_messages(241)
    assert reader.numbers == list(range(11, 252)) and len(reader.connects) == 1


def test_a_message_of_the_largest_size_comes_whole(client, room, reader):
    text = '"' * 65536
    client.say(room, text)
    client.say(room, "small")
    reader.wait_messages(2)
    assert reader.texts == [text, "small"] and len(reader.connects) == 1


def test_short_and_long_messages_come_in_their_order(client, room, servers, apache):
    readers = [servers.event_source(apache.port, events_path(room)).wait_open() for _ in range(4)]
    texts = [f"{n}" + "x" * (6000 if n % 3 == 0 else 10) for n in range(100)]
    for text in texts:
        client.say(room, text)
    for reader in readers:
        reader.wait_messages(len(texts))
        assert reader.texts == texts and len(reader.connects) == 1


def test_a_silent_stream_has_keep_alives(room, raw):
    stream = raw(events_path(room))
    stream.read_until(b"event: keep-alive\ndata:\n\n")
    began = time.monotonic()
    stream.read_until(b"event: keep-alive\ndata:\n\nevent: keep-alive\ndata:\n\n")
    assert 0.5 < time.monotonic() - began < 3


def test_no_worker_is_busy_with_a_stream(servers, apache, client, room):
    readers = [servers.event_source(apache.port, events_path(room)) for _ in range(60)]
    for reader in readers:
        reader.wait_open()
    client.say(room, "to all")
    for reader in readers:
        reader.wait_messages(1)
    assert {len(reader.connects) for reader in readers} == {1}


def test_a_request_of_http_1_0_is_held(client, room, raw):
    stream = raw(events_path(room), version="1.0").read_until(b"stream-open")
    client.say(room, "hello")
    stream.read_until(b"hello")


def test_head_is_not_held(client, room):
    answer = client.head(events_path(room))
    assert answer.status == 200 and answer.body == b""


def test_a_bad_position_ends_as_without_streams(client, room):
    answer = client.get(events_path(room), Last_Event_ID="x")
    assert b"stream-error" in answer.body
    assert client.get(events_path(room), Last_Event_ID="error").status == 400


def test_what_comes_behind_a_request_is_not_answered(client, room, raw):
    stream = raw(events_path(room)).read_until(b"stream-open")
    stream.socket.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    client.say(room, "hello")
    stream.read_until(b"hello")
    assert stream.bytes.count(b"HTTP/1.1 ") == 1


def test_who_may_not_read_is_refused(servers, room):
    apache = servers.apache(lambda a: own_streams(a) +
                            '<Location "/rooms/closed/">\nRequire all denied\n</Location>\n')
    apache.error_log.allow("AH01630")
    assert apache.client.get("/rooms/closed/events/").status == 403
    servers.event_source(apache.port, events_path(room)).wait_open()


def test_streams_of_few_children_are_written_by_several_threads(servers, room):
    def threads(children, streams):
        apache = servers.apache(lambda a: chat_site(a.database, "none", Streams=streams) +
                                f"StartServers 1\nServerLimit {children}\nThreadsPerChild 10\n"
                                f"MinSpareThreads 1\nMaxSpareThreads {children * 10}\n"
                                f"MaxRequestWorkers {children * 10}\n")
        readers = [RawStream(apache.port, events_path(room)).read_until(b"stream-open")
                   for _ in range(9 if streams == "On" else 0)]
        apache.client.say(room, "hello")
        for reader in readers:
            reader.read_until(b"hello").close()
        return len(os.listdir(f"/proc/{apache.children()[0]}/task"))
    processors = os.cpu_count()
    assert threads(1, "On") == threads(1, "Off") + 3 * min(processors, 8)
    assert threads(processors, "On") == threads(processors, "Off") + 3


# -- ending ---------------------------------------------------------------------------------------


def test_the_access_log_has_one_true_line_for_a_stream(client, room, raw, apache):
    stream = raw(events_path(room)).read_until(b"stream-open")
    client.say(room, "hello")
    stream.read_until(b"hello")
    time.sleep(0.3)  # what is logged as its duration
    stream.close()
    line, = wait_until(lambda: log_lines(apache, events_path(room)), 10, "line of the stream")
    status, size, micros = line.rpartition('" ')[2].split()
    assert status == "200" and int(size) == len(stream.body)
    assert 300_000 < int(micros) < 20_000_000


def test_mod_logio_counts_all_bytes_of_a_stream(servers, room):
    apache = servers.apache(lambda a: own_streams(a, KeepAlive="1s")
                            + f'CustomLog "{a.directory}/logio.log" "%U %O"\n')
    stream = RawStream(apache.port, events_path(room)).read_until(b"stream-open")
    apache.client.say(room, "hello")
    stream.read_until(b"hello").read_until(b"event: keep-alive")
    stream.close()
    log = apache.directory / "logio.log"
    line = wait_until(lambda: re.search(f"^{events_path(room)} (.*)$", log.read_text(), re.M), 10,
                      "line of the stream")
    assert int(line[1]) == len(stream.bytes)


def test_streams_end_with_a_time_to_come_back_when_the_server_stops(servers, room):
    apache = servers.apache(own_streams)
    streams = [RawStream(apache.port, events_path(room)) for _ in range(10)]
    for stream in streams:
        stream.read_until(b"stream-open")
    # A message shows that the loop has the connection; event cuts those off that a worker has.
    apache.client.say(room, "hello")
    for stream in streams:
        stream.read_until(b"hello")
    apache.terminate()
    for stream in streams:
        parser, _ = sse.parse(stream.read_all().body)
        assert 250 <= parser.retry_ms <= 1250
        stream.close()
    apache.process.wait(15)
    assert len(log_lines(apache, events_path(room))) == 10


def test_a_graceful_restart_loses_nothing(servers, room):
    apache = servers.apache(own_streams)
    apache.client.say(room, "0")
    readers = [servers.event_source(apache.port, events_path(room),
                                    last_event_id=f"room-{room}:0").wait_open() for _ in range(20)]
    before = apache.children()
    for number in range(1, 6):
        apache.client.say(room, str(number))
        if number % 2:
            apache.graceful()
    wait_until(lambda: not set(before) & set(apache.children()), 15, "end of the old children")
    apache.client.say(room, "last")
    for reader in readers:
        reader.wait_messages(7)
        assert reader.numbers == list(range(1, 8))
    assert all(len(reader.connects) > 1 for reader in readers)


def test_a_killed_keeper_does_not_end_a_stream(servers, room):
    apache = servers.apache(own_streams)
    apache.error_log.allow("GC0112")
    reader = servers.event_source(apache.port, events_path(room)).wait_open()
    for number in range(1, 6):
        apache.kill_keeper()
        apache.client.say(room, str(number))
        reader.wait_messages(number)
    assert reader.numbers == [1, 2, 3, 4, 5] and len(reader.connects) == 1


def test_an_open_stream_is_told_when_its_position_is_gone(servers, room):
    """The database is replaced: positions go on above all that readers have, and streams go on too."""
    apache = servers.apache(own_streams)
    apache.error_log.allow("GC0173", r"GC02\d\d")
    reader = servers.event_source(apache.port, events_path(room)).wait_open()
    for number in range(3):
        apache.client.say(room, str(number))
    reader.wait_messages(3)
    apache.database.unlink()
    def base():
        """Where the last reset led: for a moment the room may be seen empty, and begin at 0."""
        return max([int(event.id.rpartition(":")[2]) for event in reader.of_kind("stream-reset")],
                   default=0)
    wait_until(lambda: base() > 3, 15, "stream-reset above the positions of before")
    apache.client.say(room, "new")
    assert reader.wait_messages(4)[-1].json["text"] == "new"
    assert reader.numbers[-1] == base() + 1 and len(reader.connects) == 1


# -- limits ---------------------------------------------------------------------------------------


def counted(readers):
    """How many of some streams are held: a poll ends by itself."""
    return sum(len(reader.connects) == 1 for reader in readers)


def test_beyond_the_limit_readers_poll_and_requests_are_answered(servers, room):
    apache = servers.apache(lambda a: own_streams(a, MaxStreams=8))
    apache.error_log.allow("GC0178")
    readers = [servers.event_source(apache.port, events_path(room)) for _ in range(30)]
    for reader in readers:
        reader.wait_open()
    wait_until(lambda: counted(readers) <= 8, 20, "polls of those beyond the limit")
    apache.client.say(room, "to all")
    for reader in readers:
        reader.wait_messages(1)
    assert 4 <= counted(readers) <= 8
    assert Client(apache.port, timeout=5).get("/rooms/other/messages/").status == 200


def test_the_server_never_goes_deaf(servers, room):
    """Of what event takes, streams leave enough for requests: many more readers come than there is room."""
    apache = servers.apache(lambda a: own_streams(a, MaxStreamsPerClient="Off"))
    streams = [servers.keep(RawStream(apache.port, events_path(room)), RawStream.close)
               for _ in range(150)]
    for stream in streams:
        stream.read_until(b"stream-open")
    requests = [Client(apache.port, timeout=5) for _ in range(10)]
    for client in requests:
        assert client.get("/rooms/other/messages/").status == 200
    before = time.monotonic()
    for number in range(50):
        apache.client.say(room, str(number))
    assert time.monotonic() - before < 30
    # Each child has 25 x (1 + 2) x 3/4 places.
    apache.client.say(room, "last")
    ended = 0
    for stream in streams:
        try:
            stream.read_until(b'"last"')
        except AssertionError:
            ended += 1
    assert 150 - ended <= 56 * len(apache.children())
    assert 150 - ended >= 56


def test_a_child_holds_no_more_than_it_has_descriptors_for(servers, room):
    apache = Apache(lambda a: own_streams(a, MaxStreams=4000, MaxStreamsPerClient="Off") +
                    "AsyncRequestWorkerFactor 60\n")
    servers.keep(apache, Apache.stop)
    apache.wrap([paths.program("prlimit"), "--nofile=360:360"])
    apache.error_log.allow("GC0175", "GC0178")
    apache.start()
    apache.error_log.wait_for("GC0175: a child may have 360 descriptors and so holds 32 streams")
    streams = [servers.keep(RawStream(apache.port, events_path(room)), RawStream.close)
               for _ in range(100)]
    for stream in streams:
        stream.read_until(b"stream-open")
    assert apache.client.get("/rooms/other/messages/").status == 200


def test_a_place_is_free_again_when_a_stream_has_ended(servers, room):
    apache = servers.apache(lambda a: own_streams(a, MaxStreams=1) +
                            "ServerLimit 1\nStartServers 1\nMaxRequestWorkers 25\n")
    apache.error_log.allow("GC0178")
    first = servers.event_source(apache.port, events_path(room)).wait_open()
    second = servers.event_source(apache.port, events_path(room))
    wait_until(lambda: len(second.connects) > 2, 10, "polls of the second")
    first.close()
    connects = len(second.connects)
    wait_until(lambda: len(second.connects) > connects, 10, "another connect of the second")
    time.sleep(1)  # in which a poll would come back
    assert len(second.connects) <= connects + 2


def those_that_hear(apache, room, streams, text):
    """The streams that are held: others have ended before the text is said."""
    apache.client.say(room, text)

    def hears(stream):
        try:
            return stream.read_until(text.encode())
        except (AssertionError, OSError):
            return stream.close()
    return [stream for stream in streams if hears(stream)]


def test_one_address_has_only_so_many_in_all_children(servers, room, raw):
    apache = servers.apache(lambda a: own_streams(a, MaxStreamsPerClient=5))

    def come(count, **options):
        # Whoever polls leaves at once.
        return [raw(events_path(room), "Connection: close", port=apache.port,
                    **options).read_until(b"stream-open") for _ in range(count)]
    apache.keeper()
    wait_until(lambda: len(apache.children()) > 1, 20, "second child")
    held = those_that_hear(apache, room, come(20), "first")
    assert len(held) == 5
    assert len(those_that_hear(apache, room, come(5, source="127.9.9.9"), "of another")) == 5
    # What an end gives back is one's own again, however the child ended.
    for child in (before := apache.children()):
        kill(child, signal.SIGKILL)
        wait_until(lambda gone=child: gone not in apache.children(), 10, "end of a child")
    wait_until(lambda: len(apache.children()) == len(before), 20, "children anew")
    held = those_that_hear(apache, room, come(20), "second")
    assert len(held) == 5
    held[0].close()
    wait_until(lambda: len(those_that_hear(apache, room, come(1), "third")) == 1, 30,
               "place that is free again")


def test_configtest_tells_what_to_write_where_streams_do_not_fit(servers):
    apache = servers.apache(lambda a: own_streams(a))
    apache.configure(own_streams(apache, MaxStreams=4000))
    status, output = apache.configtest()
    assert status == 0 and "Syntax OK" in output
    # 1000 for each of 4 children of 25 threads: of 25 x (1 + 53) three quarters.
    assert "GC0105" in output and "AsyncRequestWorkerFactor 53" in output
    apache.configure(own_streams(apache, MaxStreams=4000) + "AsyncRequestWorkerFactor 53\n")
    assert "GC0105" not in apache.configtest()[1]


# -- where a stream cannot be held -----------------------------------------------------------------


@pytest.mark.parametrize("mpm", ["worker", "prefork"])
def test_on_other_mpms_readers_poll(servers, room, mpm):
    apache = servers.apache(own_streams, mpm=mpm)
    reader = servers.event_source(apache.port, events_path(room)).wait_open()
    for number in range(3):
        apache.client.say(room, str(number))
    reader.wait_messages(3)
    assert len(reader.connects) > 1
    assert apache.client.get(events_path(room)).body.count(b"stream-open") == 1
