"""Event streams without a proxy: the same body with nothing held, and the client comes back."""

import re
import urllib.parse

import pytest

from harness import sse
from harness.client import events_path
from harness.processes import wait_until
from harness.sites import chat_site

BACKLOG = 150


@pytest.fixture(scope="module")
def apache(module_servers):
    proxy = module_servers.listener()
    return module_servers.apache(
        lambda a: chat_site(a.database, proxy.url + "?key=changeme", Backlog=BACKLOG))


@pytest.fixture(scope="module")
def client(apache):
    return apache.client


def polled(client, room, position=None, query=""):
    """One answer: the response, its parser and its events."""
    headers = {"Last-Event-ID": position} if position is not None else {}
    answer = client.request("GET", events_path(room) + query, headers=headers)
    assert answer.status == 200, answer
    assert answer.header("Content-Type").partition(";")[0] == "text/event-stream"
    parser, events = sse.parse(answer.body)
    return answer, parser, events


def fill(client, room, count):
    return [client.say(room, f"m{number}") for number in range(1, count + 1)]


def numbers(events):
    return [int(event.id.rpartition(":")[2]) for event in events if event.kind == "message"]


def test_a_newcomer_gets_the_current_position_and_no_history(client, room):
    fill(client, room, 3)
    answer, parser, events = polled(client, room)
    assert parser.comments == [] and len(answer.body) < 100
    assert [(e.kind, e.id, e.data) for e in events] == [("stream-open", f"room-{room}:3", "")]
    assert 1000 <= parser.retry_ms <= 2000
    assert answer.header("Cache-Control") == "private, no-cache"
    assert answer.header("X-Accel-Buffering") == "no"
    assert answer.header("X-Content-Type-Options") == "nosniff"


def test_retry_comes_right_after_stream_open(client, room):
    fill(client, room, 1)
    answer, _, _ = polled(client, room, f"room-{room}:0")
    after_open = answer.text.partition("event: stream-open\n")[2].partition("\n\n")[2]
    assert re.match(r"retry: ?\d+\n", after_open)


def test_no_instruction_for_a_proxy_is_given_to_a_client(client, room):
    answer, _, _ = polled(client, room)
    assert not [name for name in answer.headers if name.lower().startswith("grip-")]


def test_a_room_never_written_to_opens_at_zero(client, room):
    _, _, events = polled(client, room)
    assert [(e.kind, e.id) for e in events] == [("stream-open", f"room-{room}:0")]


def test_a_position_gives_what_came_after_it_once_in_order(client, room):
    stored = fill(client, room, 5)
    _, _, events = polled(client, room, f"room-{room}:2")
    assert events[0].kind == "stream-open" and events[0].id == f"room-{room}:2"
    assert [e.json for e in events[1:]] == stored[2:]
    assert [e.id for e in events[1:]] == [f"room-{room}:{n}" for n in (3, 4, 5)]


def test_the_current_position_gives_nothing_more(client, room):
    fill(client, room, 2)
    _, _, events = polled(client, room, f"room-{room}:2")
    assert [e.kind for e in events] == ["stream-open"]


def test_the_position_may_stand_in_the_query(client, room):
    fill(client, room, 4)
    _, _, events = polled(client, room, query=f"?lastEventId=room-{room}:3")
    assert numbers(events) == [4]


def test_the_last_position_in_the_query_that_is_not_empty_counts(client, room):
    fill(client, room, 4)
    query = f"?lastEventId=room-{room}:1&lastEventId=room-{room}:3&lastEventId="
    _, _, events = polled(client, room, query=query)
    assert numbers(events) == [4]


def test_the_header_wins_over_the_query(client, room):
    fill(client, room, 4)
    _, _, events = polled(client, room, f"room-{room}:3", query=f"?lastEventId=room-{room}:0")
    assert numbers(events) == [4]


def test_an_empty_header_is_no_position(client, room):
    fill(client, room, 4)
    _, _, events = polled(client, room, "", query=f"?lastEventId=room-{room}:3")
    assert numbers(events) == [4]


def test_a_position_older_than_what_is_kept_is_reset(client, room):
    fill(client, room, BACKLOG + 20)
    _, _, events = polled(client, room, f"room-{room}:3")
    assert [e.kind for e in events] == ["stream-open", "stream-reset"]
    assert events[0].id is None
    assert events[1].id == f"room-{room}:{BACKLOG + 20}"
    assert events[1].json == {"channels": [f"room-{room}"]}


def test_a_position_ahead_of_the_room_is_reset(client, room):
    fill(client, room, 2)
    for ahead in (3, 9223372036854775807):
        _, _, events = polled(client, room, f"room-{room}:{ahead}")
        assert [(e.kind, e.id) for e in events] == [("stream-open", None),
                                                    ("stream-reset", f"room-{room}:2")]


@pytest.mark.parametrize("position", ["room-ROOM:-1", "room-ROOM:-99"])
def test_a_negative_position_is_gone_and_reset(client, room, position):
    fill(client, room, 2)
    _, _, events = polled(client, room, position.replace("ROOM", room))
    assert [(e.kind, e.id) for e in events] == [("stream-open", None),
                                                ("stream-reset", f"room-{room}:2")]


@pytest.mark.parametrize("position", ["room-ROOM:1,room-b:2", "room-b:2,room-ROOM:1"])
def test_of_several_positions_the_one_of_this_room_counts(client, room, position):
    fill(client, room, 3)
    _, _, events = polled(client, room, position.replace("ROOM", room))
    assert events[0].id == f"room-{room}:1" and numbers(events) == [2, 3]


@pytest.mark.parametrize("position", [
    "x", ":", "room-:1", "room-ROOM", "room-ROOM:", "room-ROOM:abc", "room-ROOM:+1",
    "room-ROOM:1x", "room-ROOM:1:2", "room-ROOM:99999999999999999999", "room-other:1", "ROOM:1",
    "room-%zz:1", "room-ROOM:0x1", "room-ROOM:1,room-b", "room-a:1,room-b:2"])
def test_a_position_that_does_not_parse_is_answered_by_stream_error_alone(client, room, position):
    fill(client, room, 2)
    answer, _, _ = polled(client, room, position.replace("ROOM", room))
    assert answer.text == (
        "event: stream-error\nid: error\n"
        'data: {"condition": "bad-request", "text": '
        '"Invalid request: Failed to parse Last-Event-ID or lastEventId."}\n\n')


def test_polls_can_be_left_out_of_the_access_log(servers):
    """As operations.md says."""
    apache = servers.apache(lambda a: chat_site(a.database) + (
        f'CustomLog "{a.directory}/some.log" "%U %>s" env=!grip-chat-poll\n'))
    client, log = apache.client, apache.directory / "some.log"
    assert client.get(events_path("x")).status == 200
    assert client.get(events_path("x"), Last_Event_ID="error").status == 400
    assert client.get("/rooms/x/messages/").status == 200
    wait_until(lambda: "messages" in log.read_text(), 10, "the line of the list")
    lines = [line for line in log.read_text().splitlines() if line.startswith("/rooms/")]
    assert lines == ["/rooms/x/events/ 400", "/rooms/x/messages/ 200"]


def test_the_position_error_is_400_so_that_a_browser_stops(client, room):
    answer = client.get(events_path(room), Last_Event_ID="error")
    assert answer.status == 400
    assert client.get(events_path(room) + "?lastEventId=error").status == 400


def test_one_answer_has_at_most_100_events_and_coming_back_gives_the_rest(client, room):
    fill(client, room, 130)
    position, seen, answers = f"room-{room}:0", [], 0
    while answers < 5:
        _, parser, events = polled(client, room, position)
        assert len(numbers(events)) <= 100
        if not numbers(events):
            break
        seen += numbers(events)
        position = parser.last_event_id
        answers += 1
    assert seen == list(range(1, 131)) and answers == 2


def test_one_answer_has_at_most_64_kilobytes_unless_a_single_event_is_larger(client, room):
    for number in range(12):
        client.say(room, f"{number}" * 5000)
    client.say(room, '"' * 65536)
    position, seen = f"room-{room}:0", []
    for _ in range(20):
        answer, parser, events = polled(client, room, position)
        found = numbers(events)
        assert len(answer.body) <= 64 * 1024 + 4096 or len(found) == 1
        if not found:
            break
        seen += found
        position = parser.last_event_id
    assert seen == list(range(1, 14))


def test_an_event_source_polls_without_missing_or_doubling(servers, apache, client, room):
    source = servers.event_source(apache.port, events_path(room)).wait_open()
    for number in range(30):
        client.say(room, str(number))
        if number % 10 == 0:
            source.wait_messages(number + 1)
    source.wait_messages(30)
    assert source.numbers == list(range(1, 31))
    assert source.texts == [str(number) for number in range(30)]
    assert len(source.connects) > 1


@pytest.mark.parametrize("name", ["ü, ;\"'", "🎉", "a:b", "100% a"])
def test_an_id_of_any_room_is_ascii_and_comes_back(client, name):
    client.say(name, "one")
    client.say(name, "two")
    _, _, events = polled(client, name)
    assert re.fullmatch(r"room-[!-~]+:\d+", events[0].id)
    assert not re.search(r"[,;\"' ]", events[0].id)
    position = events[0].id.rpartition(":")[0] + ":1"
    _, _, events = polled(client, name, position)
    assert [e.json["text"] for e in events if e.kind == "message"] == ["two"]
    _, _, events = polled(client, name,
                          query="?lastEventId=" + urllib.parse.quote(position, safe=""))
    assert [e.json["text"] for e in events if e.kind == "message"] == ["two"]


def test_line_breaks_in_a_text_stay_inside_one_data_line(client, room):
    client.say(room, "a\n\nid: x\r\ndata: y\r")
    _, _, events = polled(client, room, f"room-{room}:0")
    assert events[1].json["text"] == "a\n\nid: x\r\ndata: y\r"


def test_head_of_a_stream_has_no_body(client, room):
    answer = client.head(events_path(room))
    assert answer.status == 200 and answer.body == b""
    assert answer.header("Content-Type").partition(";")[0] == "text/event-stream"


def test_a_wrong_signature_is_no_proxy(client, room):
    answer = client.get(events_path(room), Grip_Sig="nonsense")
    assert answer.status == 200 and answer.header("Grip-Hold") is None
