"""A message is stored once and shown once, whatever happens to its posts and their answers."""

import signal
import sqlite3
import time
from contextlib import closing, contextmanager

import pytest

from browser.page_chat import BACK_WITHIN, LossyChat
from harness.client import FORM, form_body, messages_path
from harness.lossy_proxy import LossyProxy
from harness.processes import kill, wait_until

UNAVAILABLE = r"\[grip_chat:(warn|error)\]"


@pytest.fixture
def chat(servers):
    return LossyChat(servers)


@pytest.fixture
def alice(chat, window):
    return window(chat.proxy.port).join("default", "alice")


def refusal(status, *headers):
    lines = [f"HTTP/1.1 {status}", "Content-Length: 0", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def wait_sent(alice, *texts, timeout=10):
    """Each text is shown once, and nothing is left in the box or said about it."""
    wait_until(lambda: alice.texts == list(texts), timeout, f"{texts}, there are {alice.texts}")
    wait_until(lambda: alice.draft == "", 15, "empty box")
    wait_until(lambda: alice.progress == "", 15, "end of sending")
    assert not alice.is_visible("send-error") and not alice.is_visible("send-stop")
    assert alice.one("send").is_enabled() and not alice.one("text").get_property("readOnly")


@contextmanager
def locked(database):
    with closing(sqlite3.connect(database, timeout=10, isolation_level=None)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        yield
        somebody.execute("ROLLBACK")


@contextmanager
def stopped(pid):
    kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("fate", [LossyProxy.CUT, LossyProxy.HANG])
def test_an_event_tells_that_it_is_stored_when_no_answer_does(chat, alice, fate):
    chat.proxy.fate = fate
    begin = alice.send("heard of by event")
    wait_sent(alice, "heard of by event", timeout=15)
    assert time.monotonic() - begin < 18  # a try takes 20 s
    assert chat.stored_texts() == ["heard of by event"]


@pytest.mark.parametrize("fate, trouble", [
    (LossyProxy.CUT, "the server cannot be reached."),
    (LossyProxy.HANG, "no answer in time."),
    (refusal("200 OK"), "the server sent an answer that cannot be read."),
    (refusal("408 Request Timeout"), "the server answered with status 408."),
    (refusal("500 Internal Server Error"), "the server answered with status 500."),
    (refusal("502 Bad Gateway"), "the server answered with status 502."),
    (refusal("504 Gateway Timeout"), "the server answered with status 504."),
], ids=["cut", "silent", "unreadable", "408", "500", "502", "504"])
def test_a_post_whose_answer_was_lost_is_repeated_under_its_key(chat, alice, fate, trouble):
    chat.proxy.is_deaf = True
    chat.proxy.fate = fate
    alice.send("only once")
    wait_until(lambda: alice.progress == f"Still sending: {trouble}", 30, "a failed try")
    assert alice.draft == "only once" and alice.texts == []
    assert alice.one("text").get_property("readOnly")
    tries = len(chat.proxy.keys)
    chat.proxy.fate = None
    # The next try may have met the same fate already, and a try takes up to 20 s.
    wait_sent(alice, "only once", timeout=45)
    assert chat.stored_texts() == ["only once"]
    assert len(chat.proxy.keys) > tries and set(chat.proxy.keys) == {chat.stored()[0]["key"]}


def test_the_list_tells_that_it_is_stored_when_no_event_can(servers, window):
    chat = LossyChat(servers, "GripChatBacklog 100\n")
    chat.apache.error_log.allow(r"\[grip_chat:warn\]")
    alice = window(chat.proxy.port).join("default", "alice")
    chat.proxy.is_deaf = True
    chat.proxy.fate = LossyProxy.HANG
    for number in range(150):
        chat.apache.client.say("default", f"missed {number}", sender="bob")
    alice.send("in the list")
    wait_until(lambda: "in the list" in chat.stored_texts(), 5, "the stored message")
    chat.proxy.is_deaf = False
    chat.pushpin.stop(forget=False)
    chat.pushpin.start()
    wait_sent(alice, *[f"missed {number}" for number in range(101, 150)], "in the list",
              timeout=BACK_WITHIN)


def test_it_is_sent_when_the_database_is_no_longer_locked(chat, alice):
    chat.apache.error_log.allow(UNAVAILABLE)
    with locked(chat.apache.database):
        alice.send("through the lock")
        wait_until(lambda: alice.progress.startswith("Still sending: "), 15, "a failed try")
    wait_sent(alice, "through the lock", timeout=20)
    assert chat.stored_texts() == ["through the lock"]
    assert len(set(chat.proxy.keys)) == 1 < len(chat.proxy.keys)


def test_it_is_stored_once_though_a_hanging_keeper_got_it_twice(chat, alice):
    chat.apache.error_log.allow(UNAVAILABLE)
    with stopped(chat.apache.keeper()):
        alice.send("asked for twice")
        wait_until(lambda: len(chat.proxy.keys) >= 2, 30, "a second try")
    wait_sent(alice, "asked for twice", timeout=20)
    assert chat.stored_texts() == ["asked for twice"]
    assert len(set(chat.proxy.keys)) == 1


def test_a_pause_is_as_long_as_the_server_asks(chat, alice):
    chat.proxy.is_deaf = True
    chat.proxy.lose(refusal("429 Too Many Requests", "Retry-After: 4"))
    begin = alice.send("patience")
    wait_until(lambda: len(chat.proxy.keys) == 2, 30, "the second try")
    assert 4 <= time.monotonic() - begin < 30
    wait_sent(alice, "patience")


def test_a_text_that_is_refused_is_said_to_be_so_at_once(servers, window):
    chat = LossyChat(servers, "GripChatMaxText 10\n")
    alice = window(chat.proxy.port).join("default", "alice")
    alice.send("longer than ten")
    assert alice.one("send-error", 20).text.startswith("Not sent: ")
    assert "'text'" in alice.one("send-error").text
    assert alice.draft == "longer than ten" and len(chat.proxy.keys) == 1
    assert not alice.is_visible("send-stop") and alice.one("send").is_enabled()


def test_a_used_key_is_said_to_be_so_at_once_and_not_used_again(chat, alice):
    chat.apache.client.request(
        "POST", messages_path("default"), form_body({"from": "bob", "text": "earlier"}),
        {"Content-Type": FORM, "Idempotency-Key": '"' + "07" * 16 + '"'})
    alice.wait_text("earlier")
    alice.driver.execute_script(
        "crypto.getRandomValues = (bytes) => bytes.fill(7)")
    alice.send("mine")
    assert alice.one("send-error", 20).text.startswith("Not sent: ")
    assert chat.proxy.keys == ["07" * 16] and alice.draft == "mine"
    alice.driver.execute_script("delete crypto.getRandomValues")
    alice.one("send").click()
    wait_sent(alice, "earlier", "mine")
    assert chat.stored_texts() == ["earlier", "mine"]


def give_up(chat, alice, text):
    """The message is stored, but the page has given up on it without hearing so."""
    chat.proxy.is_deaf = True
    chat.proxy.lose(LossyProxy.CUT,
                    refusal("503 Service Unavailable", "Retry-After: 3600"))
    alice.send(text)
    assert alice.one("send-error", 20).text.startswith("Sending failed: ")
    assert alice.draft == text and chat.stored_texts() == [text]
    assert not alice.one("text").get_property("readOnly")


def test_the_same_text_goes_on_under_its_key_after_the_page_gave_up(chat, alice):
    give_up(chat, alice, "not twice")
    alice.one("send").click()
    wait_sent(alice, "not twice")
    assert chat.stored_texts() == ["not twice"] and len(set(chat.proxy.keys)) == 1


def test_an_edited_text_is_another_message(chat, alice):
    give_up(chat, alice, "first")
    alice.send(" and second")
    wait_until(lambda: alice.draft == "", 10, "empty box")
    assert chat.stored_texts() == ["first", "first and second"]
    assert len(set(chat.proxy.keys)) == 2


def test_an_event_clears_what_the_page_had_given_up(chat, alice):
    give_up(chat, alice, "late but there")
    chat.proxy.is_deaf = False
    chat.apache.client.say("default", "and this", sender="bob")
    wait_sent(alice, "late but there", "and this")
    assert len(chat.proxy.keys) == 2


def test_an_event_leaves_a_text_that_was_edited_since(chat, alice):
    give_up(chat, alice, "first")
    alice.write(" draft")
    chat.proxy.is_deaf = False
    chat.apache.client.say("default", "and this", sender="bob")
    alice.wait_text("first")
    assert alice.draft == "first draft"


def test_the_same_text_can_be_said_twice(chat, alice):
    alice.send("yes")
    wait_sent(alice, "yes")
    alice.send("yes")
    wait_sent(alice, "yes", "yes")
    assert chat.stored_texts() == ["yes", "yes"]
    assert len(set(chat.proxy.keys)) == 2 and None not in chat.proxy.keys


def test_offline_it_waits_for_the_network(chat, alice):
    alice.set_offline(True)
    alice.send("from the tunnel")
    wait_until(lambda: alice.progress == "Still sending: waiting for the network.", 10, "waiting")
    assert alice.draft == "from the tunnel" and not chat.proxy.keys
    alice.set_offline(False)
    wait_sent(alice, "from the tunnel", timeout=20)
    assert chat.stored_texts() == ["from the tunnel"]


def test_the_reader_can_stop_it(chat, alice):
    chat.proxy.is_deaf = True
    chat.proxy.fate = LossyProxy.HANG
    alice.send("never mind")
    alice.one("send-stop").click()
    assert alice.one("send-error").text.startswith("Sending failed: ")
    assert alice.draft == "never mind" and alice.progress == ""
    assert alice.one("send").is_enabled() and not alice.one("text").get_property("readOnly")
