"""What a GRIP proxy is told: hold, channel, keep-alive and link, and to whom."""

import re
import time
import urllib.parse

import jwt
import pytest

from harness import grip, sse
from harness.client import events_path, segment
from harness.held import fill, is_held, numbers, signed
from harness.sites import chat_site


@pytest.fixture(scope="module")
def apache(module_servers):
    proxy = module_servers.listener()
    return module_servers.apache(
        lambda a: chat_site(a.database, proxy.url + "?key=changeme", PublishRate="Off"), told=proxy)


@pytest.fixture(scope="module")
def client(apache):
    return apache.client


# -- the instructions ------------------------------------------------------------------------------

def test_a_proxied_stream_is_held_as_documented(client, room):
    fill(client, room, 3)
    answer = signed(client, events_path(room))
    assert answer.status == 200
    assert answer.header("Content-Type").partition(";")[0] == "text/event-stream"
    assert answer.header("Cache-Control") == "private, no-cache"
    assert answer.header("X-Accel-Buffering") == "no"
    assert answer.header("Grip-Hold") == "stream"
    assert answer.header("Grip-Channel") == f"events-room-{room}; prev-id=3"
    assert answer.header("Grip-Keep-Alive") == \
        r"event: keep-alive\ndata:\n\n; format=cstring; timeout=20"
    uri, parameters = grip.parse_link(answer.header("Grip-Link"))
    assert parameters == {"rel": "next", "timeout": "120"}
    parts = urllib.parse.urlsplit(uri)
    query = urllib.parse.parse_qs(parts.query, strict_parsing=True)
    assert parts.path == f"/rooms/{room}/events/" and not parts.netloc
    assert query["link"] == ["next"] and query["recover"] == ["true"]


def test_a_held_body_opens_the_stream_and_asks_each_reader_to_come_back_at_another_time(client, room):
    fill(client, room, 3)
    answer = signed(client, events_path(room), Last_Event_ID=f"room-{room}:1")
    parser, events = sse.parse(answer.body)
    assert parser.comments[0] == " " * 2048 and 1000 <= parser.retry_ms <= 5000
    assert [(e.kind, e.id) for e in events] == [
        ("stream-open", f"room-{room}:1"), ("message", f"room-{room}:2"),
        ("message", f"room-{room}:3")]
    assert answer.header("Grip-Channel").endswith("; prev-id=3")


def test_a_newcomer_is_held_at_the_current_position(client, room):
    answer = signed(client, events_path(room))
    assert answer.header("Grip-Channel") == f"events-room-{room}; prev-id=0"
    fill(client, room, 2)
    answer = signed(client, events_path(room))
    assert answer.header("Grip-Channel") == f"events-room-{room}; prev-id=2"
    assert numbers(answer) == []


def test_the_link_is_the_same_for_every_client_of_a_room(client, room):
    fill(client, room, 3)
    links = {signed(client, events_path(room), Last_Event_ID=f"room-{room}:{n}",
                    Cookie=f"user={n}").header("Grip-Link") for n in range(4)}
    links.add(signed(client, events_path(room) + "?lastEventId=x", Last_Event_ID=f"room-{room}:3")
              .header("Grip-Link"))
    assert len(links) == 1


@pytest.mark.parametrize("name", ["ü, ;\"'", "🎉 party", "a>b<c", "100%", "a;b,c", "a?b#c",
                                  "日本語"])
def test_no_character_of_a_room_can_break_a_header(client, name):
    fill(client, name, 1)
    answer = signed(client, events_path(name))
    assert is_held(answer)
    channel, parameters = grip.parse_channel(answer.header("Grip-Channel"))
    assert parameters == {"prev-id": "1"}
    assert re.fullmatch(r"[!-~]+", channel) and not re.search(r"[,;\"' ]", channel)
    uri, _ = grip.parse_link(answer.header("Grip-Link"))
    assert re.fullmatch(r"[!-~]+", uri) and not re.search(r"[,;\"'<>]", uri)
    path = urllib.parse.urlsplit(uri).path
    assert urllib.parse.unquote(path) == f"/rooms/{name}/events/"
    assert signed(client, uri, Grip_Last=f"{channel}; last-id=0").status == 200


def test_the_settings_reach_the_instructions(servers):
    apache = servers.apache(lambda a: chat_site(
        a.database, servers.listener().url + "?key=changeme", KeepAlive=7, LinkTimeout=33))
    answer = signed(apache.client, events_path("x"))
    assert answer.header("Grip-Keep-Alive").endswith("; format=cstring; timeout=7")
    assert grip.parse_link(answer.header("Grip-Link"))[1]["timeout"] == "33"


def test_a_position_that_was_not_kept_is_reset_and_held(servers):
    proxy = servers.listener()
    apache = servers.apache(lambda a: chat_site(
        a.database, proxy.url + "?key=changeme", Backlog=100, PublishRate="Off"), told=proxy)
    fill(apache.client, "x", 130)
    answer = signed(apache.client, events_path("x"), Last_Event_ID="room-x:3")
    _, events = sse.parse(answer.body)
    assert [(e.kind, e.id) for e in events] == [("stream-open", None),
                                                ("stream-reset", "room-x:130")]
    assert is_held(answer) and answer.header("Grip-Channel") == "events-room-x; prev-id=130"


@pytest.mark.parametrize("position", ["nonsense", "room-other:1", "room-ROOM:x"])
def test_a_stream_error_is_not_held(client, room, position):
    answer = signed(client, events_path(room), Last_Event_ID=position.replace("ROOM", room))
    assert not is_held(answer)
    assert sse.parse(answer.body)[1][-1].kind == "stream-error"


def test_the_position_error_is_400_and_not_held(client, room):
    answer = signed(client, events_path(room), Last_Event_ID="error")
    assert answer.status == 400 and answer.header("Grip-Hold") is None


def test_only_a_stream_is_held(client, room):
    for answer in (signed(client, f"/rooms/{room}/messages/"),
                   signed(client, f"/rooms/{room}/events"),
                   client.form(f"/rooms/{room}/messages/", {"from": "a", "text": "b"},
                               Grip_Sig=grip.token()),
                   client.request("PUT", events_path(room), b"", {"Grip-Sig": grip.token()})):
        assert not [name for name in answer.headers if name.lower().startswith("grip-")]


# -- next links ------------------------------------------------------------------------------------

def test_a_next_request_continues_after_grip_last(client, room):
    fill(client, room, 5)
    uri, _ = grip.parse_link(signed(client, events_path(room)).header("Grip-Link"))
    answer = signed(client, uri, Grip_Last=f"events-room-{room}; last-id=2")
    assert is_held(answer) and numbers(answer) == [3, 4, 5]
    assert answer.header("Grip-Channel") == f"events-room-{room}; prev-id=5"
    parser, events = sse.parse(answer.body)
    assert [e.kind for e in events] == ["message"] * 3
    assert not parser.comments and parser.retry_ms is None
    assert grip.parse_link(answer.header("Grip-Link"))[0] == uri


def test_a_next_request_of_one_who_has_all_is_held_with_an_empty_body(client, room):
    fill(client, room, 2)
    uri, _ = grip.parse_link(signed(client, events_path(room)).header("Grip-Link"))
    answer = signed(client, uri, Grip_Last=f"events-room-{room}; last-id=2")
    assert is_held(answer) and answer.body == b""
    assert answer.header("Grip-Channel") == f"events-room-{room}; prev-id=2"


def test_a_next_request_from_before_what_is_kept_is_reset(servers):
    proxy = servers.listener()
    apache = servers.apache(lambda a: chat_site(
        a.database, proxy.url + "?key=changeme", Backlog=100, PublishRate="Off"), told=proxy)
    uri, _ = grip.parse_link(signed(apache.client, events_path("x")).header("Grip-Link"))
    fill(apache.client, "x", 130)
    answer = signed(apache.client, uri, Grip_Last="events-room-x; last-id=1")
    assert [(e.kind, e.id) for e in sse.parse(answer.body)[1]] == [("stream-reset", "room-x:130")]
    assert answer.header("Grip-Channel") == "events-room-x; prev-id=130"


def changed_tokens(uri):
    """The link with each parameter that a proxy has no use for changed, cut, or left out."""
    parts = urllib.parse.urlsplit(uri)
    pairs = urllib.parse.parse_qsl(parts.query)
    for index, (name, value) in enumerate(pairs):
        if name in ("link", "recover"):
            continue
        flipped = ("A" if value[0] != "A" else "B") + value[1:]
        for other in (flipped, value[:-1], ""):
            query = pairs[:index] + [(name, other)] + pairs[index + 1:]
            yield parts._replace(query=urllib.parse.urlencode(query)).geturl()
        without = pairs[:index] + pairs[index + 1:]
        yield parts._replace(query=urllib.parse.urlencode(without)).geturl()


def assert_ends_the_stream(answer):
    """A proxy asks again where it is refused, while its reader hears nothing: so it is told the end."""
    assert answer.status == 200 and answer.body == b""
    assert answer.header("Content-Type").startswith("text/event-stream")
    assert not any(name.startswith("Grip-") for name in answer.headers)


def test_a_link_with_a_changed_token_ends_the_stream(client, room):
    fill(client, room, 3)
    uri, _ = grip.parse_link(signed(client, events_path(room)).header("Grip-Link"))
    changed = list(changed_tokens(uri))
    assert changed, f"nothing in {uri} is signed"
    for other in changed:
        assert_ends_the_stream(signed(client, other, Grip_Last=f"events-room-{room}; last-id=0"))
        answer = signed(client, other)
        assert answer.status == 403 and answer.header("Grip-Hold") is None


def test_a_link_of_one_room_does_not_open_another(client, room):
    fill(client, room + "b", 3)
    uri, _ = grip.parse_link(signed(client, events_path(room)).header("Grip-Link"))
    assert_ends_the_stream(signed(client, uri.replace(f"/rooms/{room}/", f"/rooms/{room}b/"),
                                  Grip_Last=f"events-room-{room}b; last-id=0"))


def test_a_link_does_not_replace_a_signature(client, room):
    uri, _ = grip.parse_link(signed(client, events_path(room)).header("Grip-Link"))
    answer = client.get(uri, Grip_Last=f"events-room-{room}; last-id=0")
    assert answer.header("Grip-Hold") is None


# -- pages -----------------------------------------------------------------------------------------

def walk(client, room, position, limit=40):
    """Follows the links of a backlog as a proxy does; gives each answer until one is held."""
    answer = signed(client, events_path(room), Last_Event_ID=f"room-{segment(room)}:{position}")
    for _ in range(limit):
        yield answer
        if answer.header("Grip-Hold"):
            return
        uri, _ = grip.parse_link(answer.header("Grip-Link"))
        answer = signed(client, uri)
    raise AssertionError("the backlog has no end")


def test_walking_a_long_backlog_gives_every_event_once(client, room):
    fill(client, room, 250)
    pages = list(walk(client, room, 0))
    assert [numbers(page) for page in pages] == [list(range(1, 101)), list(range(101, 201)),
                                                 list(range(201, 251))]
    assert [page.body.count(b"event: stream-open\n") for page in pages] == [1, 0, 0]
    assert [page.header("Grip-Channel") for page in pages] == \
        [f"events-room-{room}; prev-id={n}" for n in (100, 200, 250)]
    paths = [urllib.parse.urlsplit(grip.parse_link(page.header("Grip-Link"))[0]).path
             for page in pages]
    assert paths == [f"/rooms/{room}/from/100/events/", f"/rooms/{room}/from/200/events/",
                     f"/rooms/{room}/events/"]
    assert is_held(pages[-1])


def test_a_page_is_limited_in_bytes(client, room):
    fill(client, room, 20, "{}" + "x" * 10000)
    pages = list(walk(client, room, 0))
    assert sum((numbers(page) for page in pages), []) == list(range(1, 21))
    assert max(len(page.body) for page in pages) <= 64 * 1024 + 4096
    assert len(pages) <= 5


def test_events_larger_than_a_page_come_one_at_a_time(client, room):
    fill(client, room, 3, "{}" + "x" * 60000)
    pages = list(walk(client, room, 0))
    assert sum((numbers(page) for page in pages), []) == [1, 2, 3]
    assert all(len(numbers(page)) <= 1 for page in pages)


def test_a_page_that_pushpin_would_not_pass_on_is_held_and_asked_on_from_soon(client, room):
    """Pushpin answers 502 to a page over 100,000 bytes, but not to a held answer of that size."""
    fill(client, room, 3, "{}" + '"' * 60000)
    answer = signed(client, f"/rooms/{segment(room)}/events/?lastEventId=room-{segment(room)}:0")
    assert numbers(answer) == [1] and len(answer.body) > 100000
    assert is_held(answer) and answer.header("Grip-Channel").endswith("; prev-id=1")
    uri, parameters = grip.parse_link(answer.header("Grip-Link"))
    assert parameters["timeout"] == "1"
    answer = signed(client, uri, Grip_Last=f"events-room-{room}; last-id=1")
    assert numbers(answer) == [2] and is_held(answer)


@pytest.mark.parametrize("last, first", [(120, 121), (100, 101), (2, 101), (0, 101)])
def test_the_later_of_grip_last_and_the_position_in_the_path_counts(client, room, last, first):
    """While a held stream recovers page by page, Pushpin repeats the Grip-Last of its last hold."""
    fill(client, room, 130)
    uri, _ = grip.parse_link(next(walk(client, room, 0)).header("Grip-Link"))
    answer = signed(client, uri, Grip_Last=f"events-room-{room}; last-id={last}")
    assert numbers(answer) == list(range(first, 131))


def test_a_page_of_a_room_with_a_difficult_name_is_found(client):
    name = "ü/;,\" 🎉".replace("/", "|")
    fill(client, name, 101)
    pages = list(walk(client, name, 0))
    assert sum((numbers(page) for page in pages), []) == list(range(1, 102))
    path = urllib.parse.urlsplit(grip.parse_link(pages[0].header("Grip-Link"))[0]).path
    assert urllib.parse.unquote(path) == f"/rooms/{name}/from/100/events/"


def test_a_head_is_not_held(client, room):
    answer = client.request("HEAD", f"/rooms/{segment(room)}/events/", b"",
                            {"Grip-Sig": grip.token()})
    assert answer.status == 200 and answer.header("Content-Type") == "text/event-stream"
    assert not [name for name in answer.headers if name.lower().startswith("grip-")]


def test_a_next_link_is_for_proxies_alone(client, room):
    fill(client, room, 1)
    uri, _ = grip.parse_link(
        signed(client, f"/rooms/{segment(room)}/events/").header("Grip-Link"))
    assert client.get(uri).status == 403
    assert client.get(uri, Grip_Sig="x.y.z").status == 403
    assert signed(client, uri).status == 200


def test_a_page_without_a_link_token_ends_the_stream(client, room):
    fill(client, room, 3)
    assert_ends_the_stream(
        signed(client, f"/rooms/{segment(room)}/from/0/events/?link=next&recover=true"))


# -- signatures ------------------------------------------------------------------------------------

def site_with(servers, *queries, **directives):
    """The client of an Apache whose proxies are configured with these GRIP_URL queries."""
    urls = [servers.listener().url + query for query in queries]
    return servers.apache(lambda a: chat_site(a.database, *urls, **directives)).client


def held_with(client, token):
    return is_held(client.get(events_path("x"), Grip_Sig=token))


def test_a_text_key_takes_hs256(servers):
    client = site_with(servers, "?key=changeme")
    assert held_with(client, grip.token("changeme"))
    assert not held_with(client, grip.token("changed"))
    assert not held_with(client, grip.token("changeme", algorithm="HS384"))
    assert not held_with(client, grip.token("changeme", algorithm="HS512"))


def test_a_base64_key_is_its_bytes(servers):
    key = bytes(range(224, 256)) + b"\x00>?"
    client = site_with(servers, "?key=" + grip.setting(key))
    assert held_with(client, grip.token(key))
    assert not held_with(client, grip.token(grip.setting(key)))


@pytest.mark.parametrize("algorithm, pair, other", [
    ("ES256", grip.ec_key(), grip.ec_key(1)), ("RS256", grip.rsa_key(), None)],
    ids=["ES256", "RS256"])
def test_a_public_key_takes_its_algorithm_only(servers, algorithm, pair, other):
    query = "?key=token&verify-key=" + urllib.parse.quote(grip.setting(pair.public))
    client = site_with(servers, query)
    assert held_with(client, grip.token(pair.private, algorithm))
    wrong = [grip.token("token"), grip.token(""),
             grip.hand_made({"alg": "HS256", "typ": "JWT"}, grip.claims(), pair.public),
             grip.hand_made({"alg": "HS256"}, grip.claims(), grip.setting(pair.public).encode()),
             grip.hand_made({"alg": "none"}, grip.claims()),
             grip.token(grip.rsa_key().private, "PS256")]
    wrong.append(grip.token(other.private, algorithm) if other else
                 grip.token(grip.ec_key().private, "ES256"))
    for token in wrong:
        assert not held_with(client, token), token


def test_the_verify_key_may_stand_in_its_own_directive(servers):
    pair = grip.ec_key()
    client = site_with(servers, "?key=token&verify-iss=fastly:abc",
                       GripVerifyKey=f'"{grip.setting(pair.public)}"')
    assert held_with(client, grip.token(pair.private, "ES256", iss="fastly:abc"))
    assert not held_with(client, grip.token(pair.private, "ES256", iss="fastly:abd"))
    assert not held_with(client, grip.token(pair.private, "ES256", iss=None))


def test_the_issuer_is_checked_where_it_is_set(servers):
    client = site_with(servers, "?key=changeme&verify-iss=pushpin")
    assert held_with(client, grip.token(iss="pushpin"))
    for issuer in ("other", "", "pushpin2", None):
        assert not held_with(client, grip.token(iss=issuer))
    assert not held_with(client, grip.hand_made({"alg": "HS256"}, grip.claims(iss=1), b"changeme"))


def test_the_issuer_does_not_matter_where_it_is_not_set(client):
    assert held_with(client, grip.token(iss="anyone")) and held_with(client, grip.token(iss=None))


def test_expiry_is_required_and_checked(client):
    assert held_with(client, grip.token(expires_in=30))
    for token in (grip.token(expires_in=-3600), grip.token(expires_in=None),
                  *(grip.hand_made({"alg": "HS256"}, {"iss": "pushpin", "exp": exp}, b"changeme")
                    for exp in (0, -1, "soon", None, [], {}, True, str(int(time.time()) + 100),
                                -1e300))):
        assert not held_with(client, token), token


def test_an_expiry_far_away_does_no_harm(client):
    for exp in (1e300, 2 ** 62, 2 ** 80, time.time() + 60.5):
        token = grip.hand_made({"alg": "HS256"}, {"iss": "pushpin", "exp": exp}, b"changeme")
        assert client.get(events_path("x"), Grip_Sig=token).status == 200


def test_what_is_no_token_is_not_taken(client):
    good = grip.token()
    header, body, signature = good.split(".")
    for token in ("", "x", "..", "a.b", "a.b.c", "a.b.c.d", good + ".x", good + "x", good[:-4],
                  f"{header}.{body}.", f"{header}..{signature}", f".{body}.{signature}",
                  good + "=", good.replace(".", ". "), "Bearer " + good, "x" * 7000,
                  grip.hand_made({"alg": "none"}, grip.claims()),
                  grip.hand_made({"alg": "NONE"}, grip.claims(), b"changeme"),
                  grip.hand_made({"alg": ["HS256"]}, grip.claims(), b"changeme"),
                  grip.hand_made({}, grip.claims(), b"changeme"),
                  grip.hand_made([], grip.claims(), b"changeme"),
                  grip.hand_made({"alg": "HS256"}, [], b"changeme"),
                  grip.hand_made({"alg": "HS256"}, b"\xff", b"changeme"),
                  grip.hand_made({"alg": "HS256"}, b"[" * 3000, b"changeme"),
                  grip.hand_made({"alg": "HS256", "crit": ["x"], "x": 1}, grip.claims(),
                                 b"changeme")):
        assert not held_with(client, token), token


def test_two_signatures_are_none(apache):
    head = "".join(f"Grip-Sig: {token}\r\n" for token in (grip.token("wrong"), grip.token()))
    answer = apache.client.raw((f"GET /rooms/x/events/ HTTP/1.1\r\nHost: x\r\n{head}"
                                "Connection: close\r\n\r\n").encode())
    assert answer.startswith(b"HTTP/1.1 200") and b"Grip-Hold" not in answer


def test_without_any_key_a_signature_is_taken_as_it_comes(servers):
    client = site_with(servers, "")
    assert held_with(client, "anything") and held_with(client, grip.token("other"))
    assert not is_held(client.get(events_path("x")))


def test_any_of_several_proxies_may_have_signed(servers):
    pair = grip.ec_key()
    client = site_with(servers, "?key=one&verify-iss=a",
                       "?key=two&verify-key=" + urllib.parse.quote(grip.setting(pair.public)))
    assert held_with(client, grip.token("one", iss="a"))
    assert held_with(client, grip.token(pair.private, "ES256", iss="b"))
    assert not held_with(client, grip.token("one", iss="b"))
    assert not held_with(client, grip.token("two"))


def test_one_proxy_without_a_key_does_not_open_the_door(servers):
    client = site_with(servers, "?key=one", "")
    assert held_with(client, grip.token("one"))
    assert not held_with(client, "anything")


def test_pyjwt_reads_what_our_tests_sign():
    """So that a refused token was refused by the module, not spoiled here."""
    made = grip.hand_made({"alg": "HS256", "typ": "JWT"}, grip.claims(), b"changeme")
    assert jwt.decode(made, "changeme", algorithms=["HS256"])["iss"] == "pushpin"
