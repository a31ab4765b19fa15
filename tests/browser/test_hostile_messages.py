"""Names and texts that are made to cover others, or to hide them, do so to nobody."""

import sqlite3
from contextlib import closing

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser.page_chat import PageChat

MARKS = "o" + "\u0301\u0302\u0310\u0334" * 300
OVERRIDE = "\u202e"
ROW_MOST_PX = 480
NAME, TEXT = "message-from", "message-text"


@pytest.fixture
def chat(servers):
    return PageChat(servers)


def store_name(chat, message, name):
    """As if a server that refuses less had stored it."""
    with closing(sqlite3.connect(chat.apache.database, timeout=10)) as database, database:
        database.execute("UPDATE grip_chat_message SET sender = ? WHERE id = ?", (name, message["id"]))


def part(window, index, name):
    row = window.all("message")[index]
    return row.find_element(By.CSS_SELECTOR, f'[data-testid="{name}"]')


def height_of(window, index):
    return window.all("message")[index].rect["height"]


def is_under_ink_of(window, neighbour, ink):
    """Whether pixels of one element are another's: they differ once that one's letters are away."""
    window.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", neighbour)
    before = neighbour.screenshot_as_png
    window.driver.execute_script("arguments[0].style.visibility = 'hidden'", ink)
    after = neighbour.screenshot_as_png
    window.driver.execute_script("arguments[0].style.visibility = ''", ink)
    return before != after


@pytest.mark.parametrize("size", [(390, 844), (1280, 800)], ids=["phone", "desk"])
def test_a_column_of_marks_covers_nobody(chat, window, size, tmp_path):
    for sender, text in (("bob", "above"), ("o" + "\u0301" * 63, MARKS), ("carol", "below")):
        chat.apache.client.say("default", text, sender=sender)
    alice = window(chat.pushpin.port, size=size).join("default", "alice")
    alice.wait_text("below")
    alice.driver.execute_script("document.getElementById('log').focus()")
    for ink in (part(alice, 1, NAME), part(alice, 1, TEXT)):
        for neighbour in (part(alice, 0, NAME), part(alice, 0, TEXT), part(alice, 2, NAME),
                          part(alice, 2, TEXT)):
            assert not is_under_ink_of(alice, neighbour, ink)
    assert not is_under_ink_of(alice, part(alice, 1, NAME), part(alice, 1, TEXT))
    alice.screenshot(tmp_path / "marks.png")


@pytest.mark.parametrize("text", ["\n" * 150 + "x" + "\n" * 150 + "end", "w" * 65536, "word " * 13000,
                                  "\ufdfd" * 3000, "\U0001F3F4" * 16000],
                         ids=["newlines", "64 KB", "words", "wide", "emoji"])
def test_a_long_text_hides_nobody_and_can_be_read_by_keyboard(chat, window, text, tmp_path):
    for sender, each in (("bob", "above"), ("mallory", text), ("carol", "below")):
        chat.apache.client.say("default", each, sender=sender)
    alice = window(chat.pushpin.port, size=(390, 844)).join("default", "alice")
    alice.wait_text("below")
    more = alice.one("message-more")
    assert (more.text, more.get_attribute("aria-expanded")) == ("Show more", "false")
    assert height_of(alice, 1) < ROW_MOST_PX
    shown = alice.texts[1]
    assert text.startswith(shown)
    alice.screenshot(tmp_path / "long.png")
    alice.driver.execute_script("document.getElementById('log').focus()")
    alice.driver.switch_to.active_element.send_keys(Keys.TAB)
    assert alice.driver.switch_to.active_element == more
    more.send_keys(Keys.ENTER)
    assert alice.texts[1] == text and height_of(alice, 1) > ROW_MOST_PX
    assert (more.text, more.get_attribute("aria-expanded")) == ("Show less", "true")
    # The beginning is still in sight, though new messages come.
    chat.apache.client.say("default", "later")
    alice.wait_text("later")
    assert alice.driver.execute_script("return arguments[0].getBoundingClientRect().bottom",
                                       part(alice, 0, TEXT)) > 0
    more.send_keys(Keys.ENTER)
    assert alice.texts[1] == shown and height_of(alice, 1) < ROW_MOST_PX
    assert not alice.problems()


def test_a_text_that_can_be_seen_whole_has_no_button(chat, window):
    chat.apache.client.say("default", "some words " * 40)
    alice = window(chat.pushpin.port).join("default", "alice")
    alice.wait_text("some words " * 40)
    assert not alice.all("message-more")


def test_a_direction_ends_with_its_name_and_its_text(chat, window):
    stored = chat.apache.client.say("default", OVERRIDE + "desrever", sender="mallory")
    chat.apache.client.say("default", "below", sender="carol")
    store_name(chat, stored, OVERRIDE + "yrollam")
    alice = window(chat.pushpin.port).join("default", "alice")
    alice.wait_text("below")
    assert alice.senders == [OVERRIDE + "yrollam", "carol"]
    name, time = part(alice, 0, NAME).rect, part(alice, 0, "message-time").rect
    assert name["x"] + name["width"] <= time["x"]
    assert part(alice, 0, TEXT).rect["x"] == part(alice, 1, TEXT).rect["x"]


def test_what_cannot_be_seen_says_so(chat, window):
    unseen = "\u3164\u2800\u200b"
    stored = chat.apache.client.say("default", unseen, sender="mallory")
    store_name(chat, stored, unseen)
    chat.apache.client.say("default", "👩‍👩‍👧 \u200fשלום", sender="\u05d0")
    alice = window(chat.pushpin.port).join("default", "alice")
    alice.wait_text(unseen)
    says = [[alice.driver.execute_script(
        "return getComputedStyle(arguments[0], '::before').content", part(alice, index, name))
        for name in (NAME, TEXT)] for index in (0, 1)]
    assert says == [['"invisible name"', '"invisible text"'], ["none", "none"]]
    assert alice.senders[0] == alice.texts[0] == unseen
