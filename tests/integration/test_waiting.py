"""What waits to be published as one item is left out of holds, for it fits to none in its middle."""

from harness import grip, sse
from harness.client import Client, events_path
from harness.held import fill, is_held, numbers, signed
from harness.processes import wait_until
from harness.sites import chat_site


def test_a_hold_ends_where_what_waits_to_be_published_begins(servers):
    """It comes as one item, which fits to no hold that ends in its middle."""
    proxy = servers.listener()
    apache = servers.apache(lambda a: chat_site(a.database, proxy.url + "?key=changeme"), told=proxy)
    client = apache.client
    client.say("x", "published")
    proxy.delay = 3
    # The first is on its way, and the others wait for its answer.
    client.say("x", "2")
    for number in range(3, 6):
        Client(apache.port).say("x", f"{number}")
    sent = 2
    assert [item["id"] for item in proxy.items()] == ["1", "2"]
    newcomer = signed(client, events_path("x"))
    behind = signed(client, events_path("x"), Last_Event_ID="room-x:1")
    link, _ = grip.parse_link(newcomer.header("Grip-Link"))
    following = signed(client, link, Grip_Last="events-room-x; last-id=0")
    for answer, first in ((newcomer, None), (behind, 2), (following, 1)):
        assert is_held(answer)
        assert answer.header("Grip-Channel") == f"events-room-x; prev-id={sent}"
        assert numbers(answer) == (list(range(first, sent + 1)) if first else [])
    # Who has it already, from the list, is not sent back, and polling readers get all there is.
    ahead = signed(client, events_path("x"), Last_Event_ID="room-x:5")
    assert ahead.header("Grip-Channel") == "events-room-x; prev-id=5"
    assert numbers(client.get(events_path("x"), Last_Event_ID="room-x:1")) == [2, 3, 4, 5]
    proxy.delay = 0
    wait_until(lambda: len(proxy.items()) == 3, 10, "third publish")
    assert proxy.items()[-1]["prev-id"] == str(sent) and proxy.items()[-1]["id"] == "5"
    assert signed(client, events_path("x")).header("Grip-Channel") == "events-room-x; prev-id=5"


def test_what_waits_makes_nobody_reachable_who_is_too_far_behind(servers):
    """He would get the newest events of those that he misses, and no reset."""
    proxy = servers.listener()
    apache = servers.apache(lambda a: chat_site(
        a.database, proxy.url + "?key=changeme", Backlog=150, PublishRate="Off"), told=proxy)
    fill(apache.client, "x", 150)
    # Now the room is in memory, but for its first events.
    signed(apache.client, events_path("x"))
    proxy.delay = 3
    apache.client.say("x", "151")
    Client(apache.port).say("x", "152")
    answer = signed(apache.client, events_path("x"), Last_Event_ID="room-x:1")
    kinds = [event.kind for event in sse.parse(answer.body)[1]]
    assert kinds == ["stream-open", "stream-reset"], kinds
    proxy.delay = 0
