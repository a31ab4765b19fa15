"""A visitor with a script floods the room: the pages go on, and nobody's place is lost."""

import threading
import time

import pytest

from browser.frames import Frames
from browser.page_chat import BACK_WITHIN, PageChat
from harness.client import Connection
from harness.processes import wait_until

# A page that lays all rows out for each message shows no picture for 15 s while a thousand come, for 85 s while
# three thousand do, and computes as long. A busy machine stretches times, but not what is computed.
FROZEN_MS = 12000
AT_ONCE_MS = 60000
COMPUTED_S = 8


@pytest.fixture
def chat(servers):
    return PageChat(servers)


def flood(chat, count, rate=None, connections=8, first=0):
    """Posts "flood {first}" and so on, the last one last; `rate` a second over one connection."""
    def post(numbers):
        begin = time.monotonic()
        with Connection(chat.apache.port) as connection:
            for sent, number in enumerate(numbers, 1):
                connection.say("default", f"flood {number}", sender=f"visitor {number // 7}")
                if rate:
                    time.sleep(max(0.0, begin + sent / rate - time.monotonic()))
    connections = 1 if rate else connections
    threads = [threading.Thread(target=post, args=(range(first + each, first + count - 1, connections),))
               for each in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    post([first + count - 1])


def wait_row(window, text, timeout):
    wait_until(lambda: window.driver.execute_script(
        "return noted.rows.some(([text]) => text === arguments[0])", text), timeout, text, every=0.2)


def scroll(window, top):
    """As a wheel does; the next picture has it."""
    window.driver.execute_async_script(
        "const [top, done] = arguments; const log = document.getElementById('log');"
        "log.scrollTop = top ?? log.scrollHeight;"
        "requestAnimationFrame(() => requestAnimationFrame(done));", top)


def place_of(window, text):
    return window.driver.execute_script(
        "return [...document.querySelectorAll('[data-testid=message-text]')]"
        ".find((each) => each.textContent === arguments[0])?.getBoundingClientRect().top ?? null", text)


@pytest.mark.quiet
def test_who_types_while_the_room_is_flooded_sees_each_letter(chat, window):
    alice = window(chat.pushpin.port).join("default", "alice")
    frames = Frames(alice)
    flooding = threading.Thread(target=flood, args=(chat, 1000, 100))
    flooding.start()
    wait_row(alice, "flood 100", 30)
    for word in ("this ", "goes ", "on ", "while ", "it ", "floods"):
        alice.one("text").send_keys(word)
    assert alice.draft == "this goes on while it floods"
    flooding.join()
    wait_row(alice, "flood 999", 60)
    assert 0 < frames.computed < COMPUTED_S
    assert frames.longest_frame < FROZEN_MS and frames.longest_task < FROZEN_MS
    assert 0 < frames.slowest_key < FROZEN_MS
    wait_until(lambda: place_of(alice, "flood 999"), 10, "last row")
    assert alice.driver.execute_script("const log = document.getElementById('log');"
                                       "return log.scrollHeight - log.scrollTop - log.clientHeight") <= 1
    assert alice.ids == sorted(set(alice.ids)) and len(alice.ids) == 1000


@pytest.mark.quiet
def test_three_thousand_messages_at_once_are_soon_whole(chat, window):
    chat.apache.error_log.allow(r"\[grip_chat:warn\]")
    alice = window(chat.pushpin.port).join("default", "alice")
    chat.apache.client.say("default", "before")
    alice.wait_text("before")
    chat.pushpin.stop(forget=False)
    alice.wait_state("reconnecting")
    flood(chat, 3000)
    frames = Frames(alice)
    chat.pushpin.start()
    wait_row(alice, "flood 2999", BACK_WITHIN)
    begin, end = alice.driver.execute_script(
        "const times = noted.rows.filter(([text]) => text.startsWith('flood')).map(([, at]) => at);"
        "return [times[0], times.at(-1)]")
    assert 0 < frames.computed < COMPUTED_S and end - begin < AT_ONCE_MS
    assert frames.longest_frame < FROZEN_MS and frames.longest_task < FROZEN_MS
    assert alice.texts[-1] == "flood 2999" and len(alice.texts) == 1000
    # What was never shown lies before the rows, not between them.
    assert alice.ids == list(range(alice.ids[0], alice.ids[-1] + 1))


def test_what_somebody_reads_further_up_stays_where_it_is(chat, window):
    for number in range(50):
        chat.apache.client.say("default", f"old {number}")
    alice = window(chat.pushpin.port).join("default", "alice")
    scroll(alice, 200)
    place = place_of(alice, "old 5")
    flood(chat, 1100)
    wait_until(lambda: alice.one("new-messages").text == "1100 new messages", 60, "count of 1,100")
    assert place_of(alice, "old 5") == place
    assert alice.texts[:50] == [f"old {number}" for number in range(50)]
    alice.one("new-messages").click()
    wait_row(alice, "flood 1099", 20)
    wait_until(lambda: len(alice.texts) == 1000, 20, "as many rows as are kept")
    assert alice.texts[-1] == "flood 1099" and not alice.is_visible("new-messages")


def test_who_reads_on_after_a_flood_is_told_what_was_left_out(chat, window):
    for number in range(50):
        chat.apache.client.say("default", f"old {number}")
    alice = window(chat.pushpin.port).join("default", "alice")
    scroll(alice, 200)
    flood(chat, 1950)
    wait_until(lambda: len(alice.texts) == 2000, 60, "as many rows as are kept for a reader further up")
    flood(chat, 1150, first=1950)
    wait_until(lambda: alice.one("new-messages").text == "3100 new messages", 60, "count of 3,100")
    assert len(alice.texts) == 2000
    assert alice.texts[0] == "old 0"
    last = alice.texts[-1]
    # A row that comes into sight may be higher than it was taken for, so one jump may end before the end.
    wait_until(lambda: scroll(alice, None) or alice.texts[-1] != last, 30, "more rows")
    wait_until(lambda: len(alice.texts) == 2000 and alice.texts[-1] == "flood 3099", 30, "the newest")
    assert alice.driver.execute_script(
        "return document.querySelector('[data-testid=gap]').textContent") == "150 messages were left out here"
    # The reader is still where the rows ended, give or take a few rows, and can go on.
    top, bottom = alice.driver.execute_script(
        "const box = document.getElementById('log').getBoundingClientRect(); return [box.top, box.bottom]")
    assert top - 600 < place_of(alice, last) < bottom + 600
    assert alice.is_visible("new-messages")


def test_a_page_that_nobody_sees_takes_messages_all_the_same(chat, window):
    alice = window(chat.pushpin.port).join("default", "alice")
    alice.driver.execute_script("window.requestAnimationFrame = () => 0")
    chat.apache.client.say("default", "unseen")
    alice.wait_text("unseen")
