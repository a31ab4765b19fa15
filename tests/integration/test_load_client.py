"""The load client: that it sees what is right, and above all that it sees what is wrong."""

import json
import resource
import subprocess
import time
import urllib.parse

import pytest

from harness import paths
from harness.certificate import make_certificate
from harness.chat import Chat
from harness.fake_origin import event, message
from harness.load import stored
from harness.ports import free_port
from harness.sites import chat_site

OPEN = event("stream-open", 0, "")
FAULTS = ("gaps", "missing", "duplicates", "out_of_order", "misdirected", "resets", "errors", "bad")


def faults(report):
    """The counters of faults that are not 0."""
    return {name: report[name] for name in FAULTS if report[name]}


def read(servers, *streams, readers=1, settle=1, **fake):
    """What one reader of a fake server finds; nobody posts."""
    origin = servers.fake_origin(*streams, **fake)
    client = servers.load(origin.port, readers=readers, messages=0, settle=settle, retry_cap=50)
    return client.wait(20), origin


# -- real servers ----------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def chat(module_servers):
    return Chat(module_servers)


def assert_flawless(report, readers):
    assert not faults(report), report
    assert (report["whole"], report["not_whole"], report["opened"]) == (readers, 0, readers), report
    assert (report["unknown"], report["unsent"], report["rejected"]) == (0, 0, {}), report


def assert_nearly_all_came_live(report, messages):
    """What is published before Pushpin has noted a new stream passes that by; its reader is told later."""
    assert report["messages"] == messages >= report["live_ms"]["count"] >= messages * 0.8, report


@pytest.mark.quiet
def test_readers_through_pushpin_are_whole(chat, servers, tmp_path):
    ids = tmp_path / "ids"
    # With keys: event ends idle connections early while its workers are busy, and a post with them.
    report = servers.load(chat.apache.port, chat.pushpin.port, rooms=4, room_prefix="whole-",
                          readers=100, posters=4, rate=200, messages=200, ids=ids, key=True).wait()
    assert_flawless(report, 100)
    assert report["acknowledged"] == report["stored_last"] == 200
    assert_nearly_all_came_live(report, 200 * 25)
    assert report["statuses"] == {"200": report["connects"]}
    rows = stored(chat.apache.database)
    lines = [line.split("\t") for line in ids.read_text().splitlines()]
    assert len(lines) == 200
    for room, number, marker in lines:
        assert [row[2].split()[0] for row in rows[room] if row[1] == int(number)] == [marker]


def test_readers_who_poll_are_whole(chat, servers):
    report = servers.load(chat.apache.port, rooms=2, room_prefix="poll-", readers=20, posters=2,
                          rate=50, seconds=2, poll=True).wait()
    assert_flawless(report, 20)
    assert report["connects"] > 40 and report["live_ms"]["max"] < 5000


@pytest.mark.quiet
def test_a_burst_leaves_at_once(chat, servers):
    report = servers.load(chat.apache.port, chat.pushpin.port, room_prefix="burst-", readers=10,
                          posters=8, burst=128).wait()
    assert_flawless(report, 10)
    assert report["acknowledged"] == 128
    assert_nearly_all_came_live(report, 1280)


def test_readers_who_are_dropped_come_back_and_miss_nothing(chat, servers):
    client = servers.load(chat.apache.port, chat.pushpin.port, room_prefix="churn-", readers=20,
                          posters=2, rate=100, churn=200, retry_cap=50)
    client.wait_for(lambda status: status["connects"] > 60, 30, "dropped readers")
    report = client.stop()
    assert_flawless(report, 20)
    assert report["recovery_ms"]["count"] > 0 and report["mass_disconnects"] == 0


def test_slow_readers_are_whole_in_the_end_and_do_not_count_for_latency(chat, servers):
    report = servers.load(chat.apache.port, chat.pushpin.port, room_prefix="slow-", readers=10,
                          slow=5, posters=2, rate=200, seconds=2, text_bytes=2000).wait()
    assert report["whole"] == 10 and report["missing"] == 0, report
    assert report["live_ms"]["count"] <= report["acknowledged"] * 5


def test_the_time_after_a_mass_disconnect_is_measured(servers):
    chat = Chat(servers)
    chat.apache.error_log.allow(r"\[grip_chat:warn\]")
    # A Pushpin that has just started may lose a request, which is then never answered.
    client = servers.load(chat.apache.port, chat.pushpin.port, readers=50, posters=2, rate=50,
                          retry_cap=200, silence=5)
    client.wait_for(lambda status: status["acknowledged"] > 20, 20, "posts")
    chat.pushpin.kill()
    chat.pushpin.start()
    client.wait_for(lambda status: status["time_to_whole_ms"], 30, "whole readers")
    report = client.stop()
    assert_flawless(report, 50)
    assert report["mass_disconnects"] == 1
    assert 0 < report["time_to_open_ms"] <= report["time_to_whole_ms"] < 20000
    assert report["recovery_ms"]["count"] > 0


def test_posts_with_a_key_outlive_a_restart_of_apache(servers, tmp_path):
    apache = servers.apache(lambda a: chat_site(a.database, "none"))
    ids = tmp_path / "ids"
    client = servers.load(apache.port, posters=4, rate=200, key=True, ids=ids)
    client.wait_for(lambda status: status["acknowledged"] > 50, 20, "posts")
    apache.restart()
    report = client.stop()
    assert (report["unknown"], report["rejected"]) == (0, {}), report
    assert report["acknowledged"] == report["posted"] == report["stored_last"]
    rows = stored(apache.database)["load-0"]
    known = dict(line.split("\t")[1:] for line in ids.read_text().splitlines())
    assert {str(number): text.split()[0] for _, number, text in rows} == known


# -- a fake server: what is wrong must be seen -----------------------------------------------------

WRONG = {
    "skip": ([1, 2, 4, 5], {"gaps": 1, "missing": 1}, False),
    "double": ([1, 2, 2, 3, 4, 5], {"duplicates": 1}, True),
    "swap": ([1, 3, 2, 4, 5], {"gaps": 1, "out_of_order": 1}, True),
    "swap and double": ([1, 4, 3, 3, 2, 5], {"gaps": 1, "out_of_order": 2, "duplicates": 1}, True),
    "short": ([1, 2, 3, 4], {}, False),
    "beyond the end": ([1, 2, 3, 4, 5, 6], {}, False),
    "right": ([1, 2, 3, 4, 5], {}, True),
}


@pytest.mark.parametrize("step", [1, 65536])
@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_positions_is_counted(servers, name, step):
    positions, expected, is_whole = WRONG[name]
    report, _ = read(servers, OPEN + "".join(map(message, positions)), last=5, step=step)
    assert faults(report) == expected
    assert (report["whole"], report["not_whole"]) == (is_whole, not is_whole)
    assert report["worst"][0]["position"] == max(positions)


def test_a_reset_is_counted_and_sets_the_position(servers):
    stream = OPEN + message(1) + event("stream-reset", 10) + message(11)
    report, _ = read(servers, stream, last=11)
    assert faults(report) == {"resets": 1} and report["whole"] == 1


def test_messages_of_another_room_are_counted(servers):
    stream = OPEN + message(1) + message(2, room="load-1") + message(2)
    report, _ = read(servers, stream, last=2)
    assert faults(report) == {"misdirected": 1} and report["whole"] == 1


def test_a_stream_that_opens_ahead_of_the_reader_leaves_a_gap(servers):
    """The reader asked for what follows 2, and is told that the stream follows 4."""
    ahead = event("stream-open", 4, "") + message(5)
    report, origin = read(servers, OPEN + message(1) + message(2), ahead, last=5, held=False)
    assert report["gaps"] == 1 and report["missing"] == 2 and report["not_whole"] == 1, report
    assert origin.last_event_ids[:2] == [None, "room-load-0:2"]


def test_an_error_makes_the_reader_begin_anew(servers):
    error = event("stream-open", None, "") + "event: stream-error\nid: error\ndata: {}\n\n"
    report, origin = read(servers, error, event("stream-open", 7, ""), last=7)
    assert faults(report) == {"errors": 1} and report["whole"] == 1
    assert origin.last_event_ids == [None, None]


def test_a_cut_off_event_is_not_taken(servers):
    first = OPEN + message(1) + message(2)[:-1]
    report, origin = read(servers, first, event("stream-open", 1, "") + message(2),
                          event("stream-open", 2, ""), last=2, is_chunked=False, held=False)
    assert faults(report) == {} and report["whole"] == 1
    assert origin.last_event_ids[1] == "room-load-0:1"


@pytest.mark.parametrize("status", [400, 502, 503])
def test_a_reader_comes_back_after_any_status(servers, status):
    report, origin = read(servers, status, status, OPEN)
    assert report["statuses"] == {str(status): 2, "200": 1} and report["opened"] == 1
    assert len(origin.last_event_ids) == 3


def test_the_pause_is_that_of_the_server_unless_it_is_capped(servers):
    origin = servers.fake_origin(OPEN + "retry: 1500\n\n", OPEN, held=False)
    start = time.monotonic()
    client = servers.load(origin.port, readers=1, seconds=20, retry_cap=60000)
    client.wait_for(lambda status: status["statuses"].get("200", 0) >= 2, 20, "return")
    assert 1.4 < time.monotonic() - start < 20


def test_crlf_and_comments_make_no_difference(servers):
    stream = ":" + " " * 2048 + "\n\n" + OPEN + message(1) + ": x\n" + message(2)
    report, _ = read(servers, stream.replace("\n", "\r\n"), last=2)
    assert faults(report) == {} and report["whole"] == 1 and report["messages"] == 2


def test_a_silent_connection_is_given_up(servers):
    origin = servers.fake_origin("", OPEN)
    report = servers.load(origin.port, readers=1, messages=0, silence=1, retry_cap=50).wait(20)
    assert report["silent"] >= 1 and report["opened"] == 1


# -- posts -----------------------------------------------------------------------------------------

def first_only(origin, answer):
    """A rule that answers so to the first post, and 200 to the others."""
    return lambda post: answer if len(origin.posts) == 1 else 200


@pytest.mark.parametrize("answer,pause", [("close", 0.1), (503, 0.9)])
def test_a_post_with_a_key_is_repeated_as_it_was(servers, answer, pause):
    origin = servers.fake_origin()
    origin.decide = first_only(origin, answer)
    report = servers.load(origin.port, messages=1, key=True).wait(20)
    assert (report["acknowledged"], report["retries"], report["unknown"]) == (1, 1, 0), report
    first, second = origin.posts
    assert first.key == second.key and len(first.key) == 38 and first.fields == second.fields
    assert second.time - first.time > pause


def test_a_lost_answer_without_a_key_is_unknown(servers):
    origin = servers.fake_origin()
    origin.decide = first_only(origin, origin.CLOSE)
    report = servers.load(origin.port, messages=3).wait(20)
    assert (report["acknowledged"], report["unknown"], report["retries"]) == (2, 1, 0)
    assert len(origin.posts) == 3 and origin.posts[0].key is None


def test_a_refused_post_is_counted_by_its_status(servers):
    origin = servers.fake_origin()
    origin.decide = lambda post: {1: 503, 2: 422, 3: 200}[len(origin.posts)]
    report = servers.load(origin.port, messages=3).wait(20)
    assert report["rejected"] == {"503": 1, "422": 1} and report["acknowledged"] == 1


def test_a_post_is_given_up_in_the_end(servers):
    origin = servers.fake_origin()
    origin.decide = lambda post: 503
    report = servers.load(origin.port, messages=1, key=True, give_up=1, retry_after_cap=100,
                          settle=0).wait(20)
    assert (report["acknowledged"], report["unknown"]) == (0, 1) and report["retries"] > 3


def test_what_was_never_sent_is_not_unknown(servers):
    report = servers.load(free_port(), messages=1, give_up=1, settle=0).wait(20)
    assert (report["unsent"], report["unknown"]) == (1, 0) and report["stored_last"] is None


def test_the_rate_is_kept(servers):
    origin = servers.fake_origin()
    report = servers.load(origin.port, rate=20, seconds=2, posters=4).wait(20)
    # A busy machine lets it fall behind; none lets it run ahead.
    assert 10 <= report["acknowledged"] <= 41, report


def test_stop_and_status(servers):
    origin = servers.fake_origin(OPEN)
    client = servers.load(origin.port, readers=1, rate=50, seconds=60, settle=1)
    status = client.wait_for(lambda s: s["acknowledged"] > 5, 20, "posts")
    assert status["state"] == "posting" and status["open"] == 1
    report = client.stop(20)
    assert report["state"] == "ended" and report["acknowledged"] >= status["acknowledged"]
    assert report["elapsed_s"] < 50 and report["not_whole"] == 1


def test_what_is_ordered_is_posted_and_measured(servers):
    origin = servers.fake_origin(OPEN)
    client = servers.load(origin.port, readers=1, posters=2, on_command=True, settle=0).wait_posting()
    assert client.status()["posted"] == 0 and "order_ms" not in client.status()
    for messages, all_of_them in ((1, 1), (20, 21)):
        client.post(messages)
        client.wait_for(lambda status, n=all_of_them: status["acknowledged"] == n, 20, "posts")
    assert client.status()["posted"] == 21
    report = client.stop(20)
    assert report["posted"] == len(origin.posts) == 21


def test_latencies_are_those_of_the_last_order(chat, servers):
    client = servers.load(chat.apache.port, chat.pushpin.port, room_prefix="order-", readers=10,
                          on_command=True).wait_posting()
    for messages, all_of_them in ((5, 50), (2, 70)):
        client.post(messages)
        status = client.wait_for(lambda s, n=all_of_them: s["messages"] == n, 20, "messages")
        assert status["live_ms"]["count"] == messages * 10
        assert status["live_ms"]["max"] <= status["order_ms"] < 20000
    assert_flawless(client.stop(20), 10)


# -- other servers ---------------------------------------------------------------------------------

DATA = r'{"id": 0, "from": "load", "date": "2026-01-01T00:00:00.000Z", "text": "%s"}'


def from_nchan(text, number):
    return f"id: 1795602435:{number}\nevent: message\ndata: {DATA % text}\n\n"


def test_a_post_to_nchan_is_an_event_s_data(servers):
    origin = servers.fake_origin()
    origin.decide = lambda post: 201 if len(origin.posts) == 1 else 202
    report = servers.load(origin.port, server="nchan", messages=2, text_bytes=50).wait(20)
    assert (report["acknowledged"], report["rejected"]) == (2, {}), report
    post = origin.posts[0]
    assert post.path == "/rooms/load-0/messages/"
    assert post.headers["X-EventSource-Event"] == "message"
    text = json.loads(post.body)["text"]
    assert len(text) == 50 and post.body == DATA % text


def test_a_post_to_pushpin_is_an_event(servers):
    origin = servers.fake_origin()
    report = servers.load(origin.port, server="pushpin", rooms=2, messages=3, text_bytes=50).wait(20)
    assert (report["acknowledged"], report["rejected"]) == (3, {}), report
    post = origin.posts[2]
    item, = json.loads(post.body)["items"]
    assert (item["id"], item["prev-id"]) == ("2", "1")
    content = item["formats"]["http-stream"]["content"]
    assert (post.path, item["channel"]) == ("/publish/", "events-room-load-0")
    text = json.loads(content.split("data: ")[1])["text"]
    assert len(text) == 50
    data = DATA.replace('"id": 0', '"id": 2') % text
    assert content == f"event: message\nid: room-load-0:2\ndata: {data}\n\n"


def from_centrifugo(text, number):
    return f'data: {{"channel":"load-0","pub":{{"data":{(DATA % text).replace("0", str(number), 1)}}}}}\n\n'


def test_a_post_to_centrifugo_is_a_publication(servers):
    origin = servers.fake_origin()
    report = servers.load(origin.port, server="centrifugo", rooms=2, messages=2, text_bytes=50).wait(20)
    assert (report["acknowledged"], report["rejected"]) == (2, {}), report
    post = origin.posts[1]
    body = json.loads(post.body)
    assert (post.path, body["channel"]) == ("/api/publish", "load-1")
    assert post.headers["X-Centrifugo-Error-Mode"] == "transport"
    assert len(body["data"]["text"]) == 50 and list(body["data"]) == ["id", "from", "date", "text"]


def test_readers_of_centrifugo_are_open_when_they_are_subscribed(servers):
    """What has no text of ours is no message: the answer to the connect, and signs of life."""
    now = time.monotonic_ns()
    first = 'data: {"connect":{"client":"x","subs":{"load-0":{}},"ping":25}}\n\n'
    origin = servers.fake_origin("\r\n" + first + from_centrifugo(f"{now}-0", 0) + "data: {}\n\n"
                                 + from_centrifugo(f"{now}-1", 1))
    client = servers.load(origin.port, server="centrifugo", readers=3, on_command=True, settle=1)
    client.wait_for(lambda status: status["messages"] == 6, 20, "messages")
    assert client.status()["opened"] == 3
    asked, = origin.asked
    path, _, query = asked.partition("?cf_connect=")
    assert (path, urllib.parse.unquote(query)) == ("/connection/uni_sse", '{"subs":{"load-0":{}}}')
    client.post(2)
    client.wait_for(lambda status: status["acknowledged"] == 2, 20, "posts")
    report = client.stop(20)
    assert not faults(report) and report["whole"] == 3, report


def test_readers_of_centrifugo_that_are_not_subscribed_are_not_open(servers):
    origin = servers.fake_origin("\r\n")
    report = servers.load(origin.port, server="centrifugo", readers=1, messages=0, settle=0, open_timeout=1,
                          seconds=2).wait(20)
    assert report["opened"] == 0, report


def test_readers_of_nchan_are_open_at_once_and_count(servers):
    now = time.monotonic_ns()
    origin = servers.fake_origin(": hi\n\n" + from_nchan(f"{now}-0", 0) + from_nchan(f"{now}-1", 1))
    origin.decide = lambda post: 201
    client = servers.load(origin.port, server="nchan", readers=3, on_command=True, settle=1)
    client.wait_for(lambda status: status["messages"] == 6, 20, "messages")
    assert client.status()["opened"] == 3
    client.post(2)
    client.wait_for(lambda status: status["acknowledged"] == 2, 20, "posts")
    report = client.stop(20)
    assert not faults(report) and report["whole"] == 3, report


def test_a_reader_of_nchan_that_misses_a_message_is_not_whole(servers):
    origin = servers.fake_origin(": hi\n\n" + from_nchan("1-0", 0))
    report = servers.load(origin.port, server="nchan", readers=1, messages=2, settle=1).wait(20)
    assert report["messages"] == 1 and report["not_whole"] == 1, report


# -- connections -----------------------------------------------------------------------------------

def test_readers_come_from_several_addresses(servers):
    origin = servers.fake_origin(OPEN)
    servers.load(origin.port, readers=6, source_addresses=3, messages=0, settle=0).wait(20)
    assert origin.addresses == {"127.0.0.1", "127.0.0.2", "127.0.0.3"}


@pytest.mark.parametrize("step", [1, 65536])
def test_readers_over_tls_are_whole(servers, tmp_path, step):
    """The stream is longer than a record, and than what is read at once."""
    last = 3000
    stream = OPEN + "".join(message(n, "x" * 100 if step > 1 else "x") for n in range(1, last + 1))
    origin = servers.fake_origin(last=last)
    proxy = servers.fake_origin(stream, step=step, certificate=make_certificate(tmp_path))
    report = servers.load(origin.port, proxy.port, readers=2, tls=True, messages=0).wait(60)
    assert_flawless(report, 2)
    assert report["messages"] == 2 * last
    assert {one["state"] for one in report["worst"]} == {"open"}


def test_a_server_without_tls_is_refused(servers):
    origin = servers.fake_origin(OPEN)
    report = servers.load(origin.port, readers=1, tls=True, messages=0, settle=0,
                          silence=1, open_timeout=2, retry_cap=50).wait(20)
    assert report["refused"] + report["silent"] >= 1 and report["opened"] == 0 and report["statuses"] == {}


def test_too_few_open_files_are_refused_with_a_sentence():
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 100))

    def run(readers):
        return subprocess.run([paths.load_client_path(), "--origin", "127.0.0.1:9", "--messages",
                               "0", "--settle", "0", "--readers", str(readers), "--open-timeout", "1"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
                              check=False, preexec_fn=limit)  # pylint: disable=subprocess-popen-preexec-fn
    answer = run(84)
    assert answer.returncode == 1 and answer.stdout == ""
    assert answer.stderr == ("100 open files are allowed, and this takes 101: raise the hard limit"
                             " (ulimit -Hn).\n")
    assert run(83).returncode == 0


@pytest.mark.parametrize("arguments", [
    [], ["--origin"], ["--origin", "127.0.0.1"], ["--origin", "127.0.0.1:0"],
    ["--origin", "127.0.0.1:80", "--rooms", "0"], ["--origin", "127.0.0.1:80", "--nothing", "1"],
    ["--origin", "127.0.0.1:80", "--seconds", "7201"],
    ["--origin", "127.0.0.1:80", "--burst", "5", "--posters", "0"],
    ["--origin", "127.0.0.1:80", "--slow", "1"],
    ["--origin", "127.0.0.1:80", "--server", "none"],
    ["--origin", "127.0.0.1:80", "--poll", "--tls"],
    ["--origin", "127.0.0.1:80", "--on-command", "--rate", "5"]])
def test_wrong_options_are_refused_with_a_sentence(arguments):
    answer = subprocess.run([paths.load_client_path(), *arguments], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=10, check=False)
    assert answer.returncode == 2 and answer.stdout == "" and answer.stderr.endswith(".\n")
