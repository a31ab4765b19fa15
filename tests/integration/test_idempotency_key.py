"""Idempotency-Key: a message that is posted again is stored once, and tells so."""

import threading
import time

import pytest

from harness.chat import Chat
from harness.client import Connection, messages_path
from harness.load import stored
from harness.processes import kill, wait_until
from harness.sites import chat_site

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


@pytest.fixture(scope="module")
def apache(module_servers):
    proxy = module_servers.listener()
    return module_servers.apache(lambda a: chat_site(a.database, proxy.url))


def post(apache, room, text, key, sender="al"):
    return apache.client.form(messages_path(room), {"from": sender, "text": text},
                              Idempotency_Key=key)


def test_the_same_key_answers_the_same_message(apache, room):
    first = post(apache, room, "hello", f'"{KEY}"')
    assert first.status == 200 and first.json["key"] == KEY
    for again in (f'"{KEY}"', KEY, f'  "{KEY}" '):
        answer = post(apache, room, "hello", again)
        assert answer.status == 200 and answer.body == first.body
    assert list(first.json) == ["id", "from", "date", "text", "key"]
    listed = apache.client.get(messages_path(room)).json
    assert listed["messages"] == [first.json]
    assert listed["last-event-id"] == f"room-{room}:1"


def test_the_same_key_and_message_in_another_form_is_the_same(apache, room):
    first = post(apache, room, "hällo", KEY)
    again = apache.client.post_json(messages_path(room), {"from": "al", "text": "hällo"},
                                    Idempotency_Key=KEY)
    assert again.status == 200 and again.body == first.body


@pytest.mark.parametrize("sender, text", [("al", "hello!"), ("bo", "hello"), ("alh", "ello")])
def test_another_message_under_a_used_key_is_refused(apache, room, sender, text):
    assert post(apache, room, "hello", KEY).status == 200
    answer = post(apache, room, text, KEY, sender)
    assert answer.status == 422
    assert answer.json["error"]["code"] == "idempotency-key-used"
    assert "'Idempotency-Key'" in answer.json["error"]["message"]
    assert [m["text"] for m in apache.client.get(messages_path(room)).json["messages"]] == ["hello"]


def test_a_key_belongs_to_one_room_and_is_compared_byte_by_byte(apache, room):
    first = post(apache, room, "hello", "k")
    others = [post(apache, room, "hello", "K"), post(apache, room + "b", "hello", "k")]
    assert [answer.status for answer in others] == [200, 200]
    assert len({answer.json["id"] for answer in [first, *others]}) == 3


@pytest.mark.parametrize("key", ["", '""', '"a', 'a"', '"a" "b"', '"a";p=1', "a,b", "a b", '"a b"',
                                 "k" * 65, '"' + "k" * 65 + '"', '"k\xfc"', "a\\b"])
def test_a_header_that_is_no_key_is_refused(apache, room, key):
    answer = post(apache, room, "hello", key)
    assert answer.status == 400
    assert answer.json["error"]["code"] == "bad-idempotency-key"
    assert "'Idempotency-Key'" in answer.json["error"]["message"]
    assert apache.client.get(messages_path(room)).json["messages"] == []


def test_two_headers_are_no_key(apache, room):
    body = b"from=al&text=x"
    answer = apache.client.raw(
        f"POST {messages_path(room)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        "Idempotency-Key: \"a\"\r\nIdempotency-Key: \"a\"\r\n\r\n".encode() + body)
    assert answer.startswith(b"HTTP/1.1 400"), answer


def test_the_longest_key_with_every_character_that_may_be_in_one(apache, room):
    key = "".join(map(chr, range(0x21, 0x7F)))[:63] + "\\"
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    answer = post(apache, room, "hello", f'"{quoted}"')
    assert answer.status == 200 and answer.json["key"] == key
    assert apache.client.get(messages_path(room)).json["messages"][0]["key"] == key


def test_a_message_without_a_key_shows_none(apache, room):
    assert "key" not in apache.client.say(room, "hello")
    assert "key" not in apache.client.get(messages_path(room)).json["messages"][0]


def test_many_at_once_store_one(apache, room):
    answers = []

    def run():
        answers.append(post(apache, room, "hello", KEY))
    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(answers) == 16
    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
    assert len(stored(apache.database)[room]) == 1


def test_readers_see_the_key_once_live_and_in_the_backlog(servers):
    chat = Chat(servers)
    live = chat.reader("x").wait_open()
    for _ in range(3):
        assert post(chat.apache, "x", "hello", KEY).status == 200
    chat.apache.client.say("x", "other")
    late = chat.reader("x", last_event_id="room-x:0")
    for reader in (live, late):
        reader.wait_messages(2)
        assert [event.json.get("key") for event in reader.messages] == [KEY, None]
        assert reader.numbers == [1, 2]


def test_a_key_outlives_the_keeper_and_the_server(servers):
    chat = Chat(servers)
    chat.apache.error_log.allow(r"\[grip_chat:warn\]")
    first = post(chat.apache, "x", "hello", KEY)
    old = chat.apache.keeper()
    kill(old)
    wait_until(lambda: chat.apache.keepers() not in ([], [old]), 10, "new keeper")
    assert post(chat.apache, "x", "hello", KEY).body == first.body
    chat.apache.restart()
    assert post(chat.apache, "x", "hello", KEY).body == first.body
    assert post(chat.apache, "x", "other", KEY).status == 422


def test_a_post_of_unknown_fate_is_stored_once_when_it_is_repeated(servers):
    """The client gives up while the database is locked, and the first try may come through late."""
    import sqlite3  # pylint: disable=import-outside-toplevel
    chat = Chat(servers)
    chat.apache.error_log.allow(r"\[grip_chat:(warn|error)\]")
    chat.apache.client.say("x", "before")
    lock = sqlite3.connect(chat.apache.database, isolation_level=None, timeout=10)
    lock.execute("BEGIN IMMEDIATE")
    answer = post(chat.apache, "x", "hello", KEY)
    assert answer.status == 503 and answer.header("Retry-After")
    lock.execute("ROLLBACK")
    lock.close()
    end = time.monotonic() + 15
    while (answer := post(chat.apache, "x", "hello", KEY)).status != 200:
        assert answer.status == 503 and time.monotonic() < end
    assert post(chat.apache, "x", "hello", KEY).body == answer.body
    assert [row[2] for row in stored(chat.apache.database)["x"]] == ["before", "hello"]


def test_repeats_are_neither_published_nor_hinted(servers):
    """One client that repeats its posts makes no work at the proxy, whose readers all would wait."""
    proxy = servers.listener()
    apache = servers.apache(lambda a: chat_site(a.database, proxy.url))
    rooms = [f"quiet-{number}" for number in range(100)]
    with Connection(apache.port) as connection:
        for room in rooms:
            connection.say(room, "hello", Idempotency_Key=KEY)
        proxy.wait_for_items(len(rooms))
        begin = time.monotonic()
        for room in rooms * 5:
            connection.say(room, "hello", Idempotency_Key=KEY)
        seconds = time.monotonic() - begin
        connection.say("last", "hello")
    proxy.wait_for_items(1, "events-room-last")
    more = proxy.items()[len(rooms):]
    hints = [item for item in more if "id" not in item]
    assert len(more) == 1, f"{len(hints) / seconds:.0f} hints a second"
