"""Whose a message is: a nickname is anybody's."""

import json

import pytest

from browser.page_chat import LossyChat, PageChat
from harness.client import FORM, form_body, messages_path
from harness.lossy_proxy import LossyProxy


def own_texts(window):
    return window.driver.execute_script(
        "return [...document.querySelectorAll('.is-own [data-testid=message-text]')]"
        ".map((each) => each.textContent)")


def post_under(chat, room, key, sender, text):
    answer = chat.apache.client.request(
        "POST", messages_path(room), form_body({"from": sender, "text": text}),
        {"Content-Type": FORM, "Idempotency-Key": f'"{key}"'})
    assert answer.status == 200, answer


@pytest.fixture
def chat(servers):
    return PageChat(servers)


def test_a_message_under_my_nickname_is_not_mine(chat, window):
    alice = window(chat.pushpin.port).join("default", "alice")
    other = window(chat.pushpin.port).join("default", "alice")
    alice.send("mine")
    alice.wait_text("mine")
    other.send("theirs")
    other.wait_text("theirs")
    chat.apache.client.say("default", "a script's", sender="alice")
    for person, own in ((alice, ["mine"]), (other, ["theirs"])):
        person.wait_text("a script's")
        assert person.texts == ["mine", "theirs", "a script's"]
        assert own_texts(person) == own
    # Nor is it under my heading.
    assert alice.driver.execute_script(
        "return document.querySelectorAll('.is-own + .is-continued').length") == 0


def test_mine_are_mine_when_i_come_back(chat, window):
    alice = window(chat.pushpin.port).join("default", "alice")
    alice.send("mine")
    alice.wait_text("mine")
    chat.apache.client.say("default", "not mine", sender="alice")
    alice.open("/default?user=alice").wait_connected().wait_text("not mine")
    assert own_texts(alice) == ["mine"]
    # In the same browser, as two tabs of one person who tries the chat.
    alice.open("/default?user=bob").wait_connected().wait_text("not mine")
    assert own_texts(alice) == []


def test_my_key_makes_no_other_message_mine(chat, window):
    alice = window(chat.pushpin.port).join("default", "alice")
    alice.send("mine")
    alice.wait_text("mine")
    stored, = chat.stored()
    post_under(chat, "elsewhere", stored["key"], "alice", "not mine")
    alice.open("/elsewhere?user=alice").wait_connected().wait_text("not mine")
    assert own_texts(alice) == []
    # A key is free again after a day, but not the id that the first message has.
    kept = json.loads(alice.driver.execute_script("return localStorage.getItem('grip-chat-own')"))
    assert [key for _, key, _ in kept] == [stored["key"]] and kept[0][2] == stored["id"]
    kept[0][2] += 1
    alice.driver.execute_script("localStorage.setItem('grip-chat-own', arguments[0])", json.dumps(kept))
    alice.open("/default?user=alice").wait_connected().wait_text("mine")
    assert own_texts(alice) == []


def test_mine_is_mine_before_its_answer_comes(servers, window):
    chat = LossyChat(servers)
    alice = window(chat.proxy.port).join("default", "alice")
    chat.proxy.fate = LossyProxy.HANG
    alice.send("heard of by event")
    alice.wait_text("heard of by event")
    assert own_texts(alice) == ["heard of by event"]


def test_the_page_works_where_nothing_can_be_kept(chat, window):
    alice = window(chat.pushpin.port).open("/")
    alice.driver.execute_script("localStorage.setItem('grip-chat-own', 'not ours')")
    alice.join("default", "alice")
    alice.send("mine")
    alice.wait_text("mine")
    assert own_texts(alice) == ["mine"] and not alice.problems()
