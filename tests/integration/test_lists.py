"""Lists of long messages: bounded in bytes, with a link to what is left out."""

import os
import re
import socket
import sqlite3

import pytest

from harness.client import Connection, messages_path
from harness.sites import chat_site

LIST_BYTES = 256 * 1024
FAT = 60_000


@pytest.fixture(scope="module")
def apache(module_servers):
    return module_servers.apache(lambda a: chat_site(a.database, "none"))


@pytest.fixture(scope="module")
def client(apache):
    return apache.client


def next_of(answer):
    link = answer.header("Link")
    found = link and re.fullmatch(r'<(/[!-~]+)>; rel="next"', link)
    return found and found.group(1)


def numbers(answer):
    return [int(message["text"].split()[0]) for message in answer.json["messages"]]


def walk(client, path):
    """The numbers of all lists that lead from one to the next."""
    seen, lists = [], 0
    while path:
        answer = client.get(path)
        assert answer.status == 200 and len(answer.body) <= LIST_BYTES
        seen += numbers(answer)
        path, lists = next_of(answer), lists + 1
        assert lists < 100
    return seen, lists


def test_a_list_is_bounded_in_bytes_and_links_to_the_rest(client, room):
    for number in range(1, 21):
        client.say(room, f"{number} " + "x" * FAT)
    answer = client.get(messages_path(room))
    assert numbers(answer) == [20, 19, 18, 17] and len(answer.body) <= LIST_BYTES
    assert answer.json["last-event-id"] == f"room-{room}:20"
    assert next_of(answer) == f"{messages_path(room)}?before=room-{room}%3A17"
    seen, lists = walk(client, messages_path(room))
    assert seen == list(range(20, 0, -1)) and lists == 5


def test_a_list_that_is_not_shortened_has_no_link(client, room):
    for number in range(1, 121):
        client.say(room, f"{number} x")
    answer = client.get(messages_path(room))
    assert len(numbers(answer)) == 50 and answer.header("Link") is None
    older = client.get(f"{messages_path(room)}?before=room-{room}:71")
    assert numbers(older) == list(range(70, 20, -1))
    assert older.json["last-event-id"] == f"room-{room}:70"
    seen, _ = walk(client, f"{messages_path(room)}?before=room-{room}:71")
    assert seen == list(range(70, 0, -1))


def test_one_message_is_in_a_list_however_long_it_is(servers):
    apache = servers.apache(lambda a: chat_site(a.database, "none", ListSize="1K"))
    for number in range(1, 4):
        apache.client.say("x", f"{number} " + "x" * 5000)
    answer = apache.client.get(messages_path("x"))
    assert numbers(answer) == [3] and next_of(answer)
    assert numbers(apache.client.get(next_of(answer))) == [2]


@pytest.mark.parametrize("name", ["ü, ;\"'", "🎉", "a:b", "100% a"])
def test_a_link_of_any_room_leads_there(client, name):
    for number in range(1, 7):
        client.say(name, f"{number} " + "x" * FAT)
    seen, _ = walk(client, messages_path(name))
    assert seen == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("position", ["x", "room-other:3", "room-ROOM:-1", "room-ROOM:x", "%zz"])
def test_what_is_no_position_of_the_room_is_refused(client, room, position):
    answer = client.get(f"{messages_path(room)}?before={position.replace('ROOM', room)}")
    assert answer.status == 400 and answer.json["error"]["code"] == "bad-position"
    assert "'before'" in answer.json["error"]["message"]


def test_before_the_first_there_is_nothing(client, room):
    client.say(room, "1 x")
    answer = client.get(f"{messages_path(room)}?before=room-{room}:1")
    assert answer.json == {"messages": [], "last-event-id": f"room-{room}:0"}
    assert answer.header("Link") is None


def test_an_older_list_has_a_tag_that_is_answered_304(client, room):
    for number in range(1, 4):
        client.say(room, f"{number} x")
    path = f"{messages_path(room)}?before=room-{room}:3"
    etag = client.get(path).header("ETag")
    assert client.get(path, If_None_Match=etag).status == 304
    assert client.get(messages_path(room), If_None_Match=etag).status == 200


def processor_of(apache):
    """Seconds that the children have used."""
    ticks = 0
    for pid in apache.children():
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            ticks += sum(map(int, file.read().rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def test_an_older_list_that_is_the_same_is_not_read_again(servers):
    """What is answered 304 costs nothing of what the list costs; it did cost all of it."""
    apache = servers.apache(lambda a: chat_site(a.database, "none"))
    for number in range(1, 11):
        apache.client.say("x", f"{number} " + "\u00e9" * (FAT // 2))
    path = f"{messages_path('x')}?before=room-x:9"
    seconds = []
    with Connection(apache.port) as connection:
        first = connection.request("GET", path)
        unchanged = {"If-None-Match": first.header("ETag")}
        assert next_of(first)
        for headers, status in (({}, 200), (unchanged, 304)):
            before = processor_of(apache)
            for _ in range(150):
                answer = connection.request("GET", path, headers=headers)
                assert answer.status == status
                assert answer.header("ETag") == first.header("ETag")
                assert answer.header("Link") == first.header("Link")
            seconds.append(processor_of(apache) - before)
        assert seconds[1] < seconds[0] / 4, seconds
        connection.say("x", "11 and the list is the same")
        assert connection.request("GET", path, headers=unchanged).status == 304
        with sqlite3.connect(apache.database, timeout=20) as operator:
            operator.execute("DELETE FROM grip_chat_message WHERE event_id = 8")
        operator.close()
        connection.say("x", "12")
        answer = connection.request("GET", path, headers=unchanged)
        assert answer.status == 200 and numbers(answer)[0] == 7


def memory_of(apache):
    """Kilobytes that the children have of their own."""
    total = 0
    for pid in apache.children():
        with open(f"/proc/{pid}/smaps_rollup") as lines:
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
    return total


def test_slow_readers_of_fat_lists_hold_little_memory(servers):
    """Each has a list of its own, as the room has moved on; today's 20 MB each made 1.4 GB of 50."""
    apache = servers.apache(lambda a: chat_site(a.database, "none"))
    for number in range(1, 51):
        apache.client.say("x", f"{number} " + "x" * 65_000)
    apache.client.get(messages_path("x"))
    before = memory_of(apache)
    for number in range(50):
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        slow.connect(("127.0.0.1", apache.port))
        servers.keep(slow, socket.socket.close)
        slow.sendall(f"GET {messages_path('x')} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        slow.recv(64)
        apache.client.say("x", f"{number} " + "x" * 65_000)
    assert memory_of(apache) - before < 100 * 1024
