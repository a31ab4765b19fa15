"""Two people chat on the page, each in a browser of their own."""

import pytest

from browser.page_chat import BACK_WITHIN, LOST_MS, LossyChat, PageChat
from browser.window import SHOWN_CHARS
from harness.client import messages_path
from harness.processes import wait_until

INTACT = [
    "plain words",
    "<script>window.broken = true</script><img src=x onerror='window.broken = true'>",
    "🙂 👩‍👩‍👧‍👦 🇪🇺",
    "مرحبا بالعالم (hello) שלום",
    "&amp; &lt;b&gt; \\n %3Cb%3E",
    "0123456789" * 400,
]


@pytest.fixture
def chat(servers):
    return PageChat(servers)


def test_what_one_writes_the_other_sees_at_once_and_intact(chat, window, tmp_path):
    alice = window(chat.pushpin.port).join("default", "alice")
    bob = window(chat.pushpin.port).join("default", "bob")
    bob.send("warm up")
    alice.wait_text("warm up")
    for text in INTACT:
        begin = alice.send_by_enter(text)
        took = bob.shown_at(text[:SHOWN_CHARS]) - begin
        assert 0 < took < LOST_MS, f"{text[:40]!r} took {took:.0f} ms"
        alice.wait_text(text[:SHOWN_CHARS])
    for person in (alice, bob):
        person.one("message-more").click()
        assert person.texts == ["warm up", *INTACT]
        assert person.senders == ["bob"] + ["alice"] * len(INTACT)
        assert person.ids == sorted(set(person.ids))
        assert not person.driver.execute_script("return window.broken")
        assert person.draft == ""
    alice.screenshot(tmp_path / "alice.png")
    bob.screenshot(tmp_path / "bob.png")
    assert not alice.problems() and not bob.problems()


def test_they_answer_each_other_by_keyboard(chat, window):
    alice = window(chat.pushpin.port).join("Zürich 🎉", "alice")
    bob = window(chat.pushpin.port).join("Zürich 🎉", "bob")
    for number in range(3):
        alice.one("text").send_keys(f"ping {number}\n")
        bob.wait_text(f"ping {number}")
        bob.one("text").send_keys(f"pong {number}\n")
        alice.wait_text(f"pong {number}")
    expected = [f"p{vowel}ng {number}" for number in range(3) for vowel in "io"]
    assert alice.texts == bob.texts == expected


def test_rooms_do_not_mix(chat, window):
    one = window(chat.pushpin.port).join("one", "alice")
    two = window(chat.pushpin.port).join("two", "bob")
    one.send("for one")
    one.wait_text("for one")
    two.send("for two")
    two.wait_text("for two")
    assert one.texts == ["for one"] and two.texts == ["for two"]


def test_history_is_there_for_who_comes_later(chat, window, tmp_path):
    for number in range(5):
        chat.apache.client.say("default", f"old {number}", sender="carol")
    alice = window(chat.pushpin.port, size=(390, 844)).join("default", "alice")
    alice.wait_text("old 4")
    assert alice.texts == [f"old {number}" for number in range(5)]
    alice.screenshot(tmp_path / "phone.png")
    dark = window(chat.pushpin.port, dark=True).open("/default?user=bob").wait_connected()
    dark.wait_text("old 4")
    dark.screenshot(tmp_path / "dark.png")


def test_the_addresses_of_the_original_work(chat, window, tmp_path):
    alice = window(chat.pushpin.port).open("/")
    assert alice.one("join-form") and not alice.is_visible("composer")
    alice.screenshot(tmp_path / "join.png")
    alice.open("/some%20room")
    alice.one("nickname").send_keys("al & co")
    alice.one("join-button").click()
    alice.wait_connected()
    assert alice.url.path == "/some%20room"
    alice.send("hi")
    alice.wait_text("hi")
    stored = chat.apache.client.get(messages_path("some room")).json["messages"]
    assert [m["from"] for m in stored] == ["al & co"]
    alice.open("/?user=al").wait_connected()
    assert (alice.url.path, alice.url.query) == ("/default", "user=al")


def test_a_message_waits_for_a_proxy_that_is_down_and_is_sent_by_itself(chat, window):
    alice = window(chat.pushpin.port).join("default", "alice")
    chat.pushpin.stop(forget=False)
    alice.wait_state("reconnecting")
    alice.send("do not lose me")
    wait_until(lambda: alice.progress.startswith("Still sending: "), 30, "a failed try")
    assert alice.draft == "do not lose me"
    chat.pushpin.start()
    alice.wait_text("do not lose me", BACK_WITHIN)
    wait_until(lambda: alice.draft == "", 5, "empty composer")
    stored = chat.apache.client.get(messages_path("default")).json["messages"]
    assert [m["text"] for m in stored] == ["do not lose me"]


def test_a_failed_send_keeps_the_text_and_can_be_repeated(chat, window):
    alice = window(chat.pushpin.port).join("default", "alice")
    chat.pushpin.stop(forget=False)
    alice.wait_state("reconnecting")
    alice.send("do not lose me")
    alice.one("send-stop").click()
    assert alice.one("send-error").text
    assert alice.draft == "do not lose me"
    chat.pushpin.start()
    alice.wait_connected(BACK_WITHIN)
    alice.one("send").click()
    alice.wait_text("do not lose me")
    wait_until(lambda: alice.draft == "", 5, "empty composer")
    assert not alice.is_visible("send-error")
    stored = chat.apache.client.get(messages_path("default")).json["messages"]
    assert [m["text"] for m in stored] == ["do not lose me"]


def test_a_page_that_was_away_shows_what_it_missed_once(chat, window):
    chat.apache.error_log.allow(r"\[grip_chat:warn\]")
    alice = window(chat.pushpin.port).join("default", "alice")
    alice.send("before")
    alice.wait_text("before")
    chat.pushpin.stop(forget=False)
    alice.wait_state("reconnecting")
    for number in range(3):
        chat.apache.client.say("default", f"missed {number}")
    chat.pushpin.start()
    alice.wait_text("missed 2", BACK_WITHIN)
    chat.apache.client.say("default", "after")
    alice.wait_text("after")
    assert alice.texts == ["before", "missed 0", "missed 1", "missed 2", "after"]


def test_a_page_that_missed_too_much_loads_the_history_again(servers, window):
    chat = PageChat(servers, "GripChatBacklog 100\n")
    chat.apache.error_log.allow(r"\[grip_chat:warn\]")
    alice = window(chat.pushpin.port).join("default", "alice")
    alice.send("before")
    alice.wait_text("before")
    chat.pushpin.stop(forget=False)
    alice.wait_state("reconnecting")
    for number in range(150):
        chat.apache.client.say("default", f"missed {number}")
    chat.pushpin.start()
    alice.wait_text("missed 149", BACK_WITHIN)
    chat.apache.client.say("default", "after")
    alice.wait_text("after")
    assert alice.texts[-51:] == [f"missed {number}" for number in range(100, 150)] + ["after"]
    assert alice.ids == sorted(set(alice.ids))


def test_a_stream_that_nobody_answers_is_asked_for_again(servers, window):
    """As when the proxy has just started; of a dead connection the page is sure after 50 s."""
    chat = LossyChat(servers, "GripChatKeepAlive 120s\n")
    chat.proxy.is_deaf = True
    alice = window(chat.proxy.port).enter("default", "alice")
    log = chat.apache.directory / "access.log"
    wait_until(lambda: "GET /rooms/default/events/" in log.read_text(), 20, "request for events")
    chat.proxy.is_deaf = False
    alice.wait_connected(timeout=40)


def test_the_page_works_without_any_proxy(servers, window):
    listener = servers.listener()
    apache = servers.apache(lambda a: a.page_site(listener.url + "?key=changeme"))
    alice = window(apache.port).join("default", "alice")
    bob = window(apache.port).join("default", "bob")
    for number in range(3):
        alice.send(f"message {number}")
        for person in (alice, bob):
            person.wait_text(f"message {number}")
    assert alice.texts == bob.texts == ["message 0", "message 1", "message 2"]
    assert alice.state == bob.state == "connected"
    assert not alice.problems() and not bob.problems()


def test_the_page_has_its_security_headers(chat):
    for path in ("/", "/some-room", "/some-room?user=al"):
        answer = chat.pushpin.client.get(path)
        assert answer.status == 200
        assert answer.header("Content-Type") == "text/html; charset=utf-8"
        policy = answer.header("Content-Security-Policy")
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy
        assert answer.header("X-Content-Type-Options") == "nosniff"
