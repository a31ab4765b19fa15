"""GET and POST of /rooms/{room}/messages/ as a client sees them."""

import datetime
import email.utils
import json
import re
import sqlite3
import urllib.parse

import pytest

from harness.client import Connection, FORM, messages_path, multipart, segment
from harness.processes import wait_until
from harness.sites import chat_site

ROOM_NAMES = ["default", "Zürich", "日本語", "🎉 party", "a b", "it's", 'say "hi"', "a;b,c",
              "100%", "a+b", "a&b=c", "<script>", "[x]", "~tilde", "back\\slash", "a:b", "#1?", "…",
              "x" * 64, "🙂" * 64]

TEXTS = ["hello", " spaces around ", "two\nlines", "two\r\nlines\r", "\ttab", '"quotes" \\ back',
         "<script>alert(1)</script>", "🙂👩‍👩‍👧‍👦", "مرحبا שלום", "e\u0301", "\u2028\u2029",
         "\ufeffmark", "data: x\n\nevent: y", "%41+%2B&a=b", "a\u200bb\u202ec", "x" * 4000,
         "ü" * 32768]


@pytest.fixture(scope="module")
def apache(module_servers):
    proxy = module_servers.listener()
    return module_servers.apache(lambda a: chat_site(a.database, proxy.url))


@pytest.fixture(scope="module")
def client(apache):
    return apache.client


def assert_refused(answer, status, *words):
    """An error as the API gives it, whose sentence names what is wrong."""
    assert answer.status == status, answer
    assert answer.header("Content-Type").startswith("application/json")
    error = answer.json["error"]
    assert set(answer.json) == {"error"} and set(error) == {"code", "message"}
    assert re.fullmatch(r"[a-z0-9_-]+", error["code"])
    for word in words:
        assert word in error["message"]
    assert_not_cacheable(answer)


def assert_not_cacheable(answer):
    kept = {part.strip() for part in (answer.header("Cache-Control") or "").split(",")}
    assert kept & {"private", "no-store", "no-cache"}, answer
    assert answer.header("X-Content-Type-Options") == "nosniff"


def listed(client, room):
    answer = client.get(messages_path(room))
    assert answer.status == 200, answer
    return answer.json


# -- reading ---------------------------------------------------------------------------------------

def test_a_room_never_written_to_is_empty_and_stands_at_zero(client, room):
    answer = client.get(messages_path(room))
    assert answer.status == 200
    assert answer.header("Content-Type").partition(";")[0] == "application/json"
    assert answer.json == {"messages": [], "last-event-id": f"room-{room}:0"}
    assert answer.body.endswith(b"\n")


def test_reading_does_not_create_a_room(apache, client, room):
    client.say(room, "so that there is a database")
    client.get(messages_path(room + "-read"))
    client.get(f"/rooms/{room}-read/events/")
    with sqlite3.connect(f"file:{apache.database}?mode=ro", uri=True) as database:
        names = {name for (name,) in database.execute("SELECT name FROM grip_chat_room")}
    assert room in names and room + "-read" not in names


def test_the_list_is_the_newest_fifty_newest_first(client, room):
    for number in range(53):
        client.say(room, f"m{number}")
    answer = listed(client, room)
    assert [m["text"] for m in answer["messages"]] == [f"m{n}" for n in range(52, 2, -1)]
    assert answer["last-event-id"] == f"room-{room}:53"


def test_a_list_is_private_and_revalidated(client, room):
    client.say(room, "one")
    answer = client.get(messages_path(room))
    assert answer.header("Cache-Control") == "private, no-cache"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    etag = answer.header("ETag")
    assert re.fullmatch(r'(W/)?"[^"]+"', etag)

    same = client.get(messages_path(room), If_None_Match=etag)
    assert same.status == 304 and same.body == b""
    assert same.header("ETag") == etag
    assert same.header("Cache-Control") == "private, no-cache"
    assert client.get(messages_path(room), If_None_Match=f'"other", {etag}').status == 304
    assert client.get(messages_path(room), If_None_Match='"other"').status == 200

    client.say(room, "two")
    changed = client.get(messages_path(room), If_None_Match=etag)
    assert changed.status == 200 and changed.header("ETag") != etag


def test_a_list_has_no_date_that_it_was_modified_at(client, room):
    client.say(room, "x")
    now = email.utils.formatdate(usegmt=True)
    old = email.utils.formatdate(0, usegmt=True)
    answer = client.get(messages_path(room), If_Modified_Since=now)
    assert answer.status == 200 and answer.header("Last-Modified") is None
    assert client.get(messages_path(room), If_Unmodified_Since=old).status == 200


def test_an_etag_of_one_room_is_not_valid_for_another(client, room):
    client.say(room, "one")
    client.say(room + "b", "one")
    etag = client.get(messages_path(room)).header("ETag")
    assert client.get(messages_path(room + "b"), If_None_Match=etag).status == 200


def test_head_answers_as_get_without_a_body(client, room):
    client.say(room, "one")
    got, head = client.get(messages_path(room)), client.head(messages_path(room))
    assert head.status == 200 and head.body == b""
    for name in ("Content-Type", "ETag", "Cache-Control", "Content-Length"):
        assert head.header(name) == got.header(name)


def test_a_query_does_not_matter(client, room):
    assert client.get(messages_path(room) + "?x=1&y").status == 200


# -- posting ---------------------------------------------------------------------------------------

def test_a_post_answers_with_what_was_stored(client, room):
    before = datetime.datetime.now(datetime.timezone.utc)
    answer = client.form(messages_path(room), {"from": "al", "text": "hello"})
    assert answer.status == 200
    assert answer.header("Content-Type").partition(";")[0] == "application/json"
    assert answer.body.endswith(b"\n")
    assert_not_cacheable(answer)
    message = answer.json
    assert set(message) == {"id", "from", "date", "text"}
    assert isinstance(message["id"], int) and message["id"] >= 1
    assert (message["from"], message["text"]) == ("al", "hello")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message["date"])
    date = datetime.datetime.fromisoformat(message["date"].replace("Z", "+00:00"))
    assert abs((date - before).total_seconds()) < 5
    assert listed(client, room) == {"messages": [message], "last-event-id": f"room-{room}:1"}


def test_ids_grow_across_rooms_and_positions_count_within_one(client, room):
    ids = [client.say(f"{room}-{number % 2}", "x")["id"] for number in range(6)]
    assert ids == sorted(set(ids))
    assert listed(client, room + "-0")["last-event-id"].endswith(":3")
    assert listed(client, room + "-1")["last-event-id"].endswith(":3")


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_text_is_kept_exactly(client, room, text):
    kind, body = multipart([("from", "al"), ("text", text)])
    answers = [client.form(messages_path(room), {"from": "al", "text": text}),
               client.request("POST", messages_path(room), body, {"Content-Type": kind}),
               client.post_json(messages_path(room), {"from": "al", "text": text})]
    assert [answer.json["text"] for answer in answers] == [text] * 3
    assert [m["text"] for m in listed(client, room)["messages"]] == [text] * 3


def test_a_name_may_have_64_characters_of_any_size(client, room):
    assert client.say(room, "x", sender="🙂" * 64)["from"] == "🙂" * 64


def test_a_plus_is_a_space_in_a_form(client, room):
    answer = client.form(messages_path(room), b"from=a+b&text=1+%2B+1")
    assert (answer.json["from"], answer.json["text"]) == ("a b", "1 + 1")


def test_other_fields_are_ignored(client, room):
    assert client.form(messages_path(room), b"x=1&from=al&text=t&csrf=%00&y").status == 200


@pytest.mark.parametrize("content_type", [
    FORM.upper(), FORM + "; charset=UTF-8", FORM + ";charset=utf-8", FORM + " ; charset=\"utf-8\""])
def test_a_media_type_is_known_in_any_case_and_with_a_charset(client, room, content_type):
    answer = client.request("POST", messages_path(room), b"from=al&text=hi",
                            {"Content-Type": content_type})
    assert answer.status == 200, answer


@pytest.mark.parametrize("content_type", ["Application/JSON", "application/json; charset=utf-8"])
def test_json_is_known_in_any_case_and_with_a_charset(client, room, content_type):
    answer = client.request("POST", messages_path(room), b'{"from":"al","text":"hi"}',
                            {"Content-Type": content_type})
    assert answer.status == 200, answer


@pytest.mark.parametrize("make", [
    lambda: (FORM, b"from=al&text=chunked"),
    lambda: multipart([("from", "al"), ("text", "chunked")]),
    lambda: ("application/json", b'{"from":"al","text":"chunked"}')], ids=["form", "parts", "json"])
def test_a_chunked_body_is_read(client, room, make):
    kind, body = make()
    pieces = iter([body[:7], body[7:9], body[9:]])
    answer = client.request("POST", messages_path(room), pieces, {"Content-Type": kind})
    assert answer.status == 200 and answer.json["text"] == "chunked"


def test_many_posts_fit_on_one_connection(apache, room):
    with Connection(apache.port) as connection:
        for number in range(20):
            assert connection.say(room, str(number))["text"] == str(number)


def test_a_refused_post_leaves_the_connection_usable(apache, room):
    with Connection(apache.port) as connection:
        refused = connection.request("POST", messages_path(room), b"x" * 1000,
                                     {"Content-Type": "text/plain"})
        assert refused.status == 415
        assert connection.say(room, "after")["text"] == "after"


# -- what is refused -------------------------------------------------------------------------------

@pytest.mark.parametrize("field, fields", [
    ("from", {"text": "x"}), ("text", {"from": "al"}),
    ("from", {"from": "", "text": "x"}), ("text", {"from": "al", "text": ""})])
def test_a_missing_or_empty_field_is_named(client, room, field, fields):
    kind, body = multipart(list(fields.items()))
    for answer in (client.form(messages_path(room), fields),
                   client.post_json(messages_path(room), fields),
                   client.request("POST", messages_path(room), body, {"Content-Type": kind})):
        assert_refused(answer, 400, field)
    assert listed(client, room)["messages"] == []


@pytest.mark.parametrize("bad", [b"%FF", b"%C0%80", b"%ED%A0%80", b"%F4%90%80%80", b"%E2%82",
                                 b"%00", b"a%00b"])
@pytest.mark.parametrize("field", ["from", "text"])
def test_bytes_that_are_no_text_are_refused(client, room, field, bad):
    other = "text" if field == "from" else "from"
    body = field.encode() + b"=" + bad + b"&" + other.encode() + b"=x"
    assert_refused(client.form(messages_path(room), body), 400, field)
    kind, parts = multipart([(field, urllib.parse.unquote_to_bytes(bad)), (other, "x")])
    assert_refused(client.request("POST", messages_path(room), parts, {"Content-Type": kind}),
                   400, field)
    assert listed(client, room)["messages"] == []


@pytest.mark.parametrize("name", ["x" * 65, "ü" * 65, "🙂" * 65])
def test_a_name_over_64_characters_is_refused(client, room, name):
    assert_refused(client.form(messages_path(room), {"from": name, "text": "x"}), 400, "from")


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "\x1b[1m", "a\x7f", "a\u0085b"])
def test_a_control_character_in_a_name_is_refused(client, room, name):
    assert_refused(client.form(messages_path(room), {"from": name, "text": "x"}), 400, "from")


@pytest.mark.parametrize("text", ["\x01", "a\x0bb", "\x1b[1m", "a\x7f", "a\u0085b"])
def test_a_control_character_in_a_text_is_refused(client, room, text):
    for answer in (client.form(messages_path(room), {"from": "al", "text": text}),
                   client.post_json(messages_path(room), {"from": "al", "text": text})):
        assert_refused(answer, 400, "text")
        assert answer.json["error"]["code"] == "control-character"
    assert listed(client, room)["messages"] == []


@pytest.mark.parametrize("name", ["a\u200b", "\u202eal", "\ufeffal", "a\u00adl", " ", "\u3000",
                                  "\u200d", "\u3164"])
def test_a_name_that_cannot_be_seen_is_refused(client, room, name):
    answer = client.form(messages_path(room), {"from": name, "text": "x"})
    assert_refused(answer, 400, "from")
    assert answer.json["error"]["code"] == "invisible-character"
    assert listed(client, room)["messages"] == []


def test_what_is_stored_already_is_read_as_it_is(apache, client, room):
    client.say(room, "x")
    with sqlite3.connect(apache.database, timeout=10) as database:
        database.execute("UPDATE grip_chat_message SET sender = ?, body = ?"
                         " WHERE id = (SELECT max(id) FROM grip_chat_message)", ("\u200b", "\x01"))
    database.close()
    wait_until(lambda: listed(client, room)["messages"][0]["text"] == "\x01", 10, "the changed row")
    assert listed(client, room)["messages"][0]["from"] == "\u200b"


@pytest.mark.parametrize("text", ["x" * 65537, "ü" * 32769])
def test_a_text_over_the_limit_is_refused(client, room, text):
    assert_refused(client.form(messages_path(room), {"from": "al", "text": text}), 400, "text")
    assert_refused(client.post_json(messages_path(room), {"from": "al", "text": text}), 400, "text")


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_body_over_the_byte_limit_is_413(client, room, chunked):
    body = b"from=al&text=" + b"x" * 2_000_000
    answer = client.request("POST", messages_path(room), iter([body]) if chunked else body,
                            {"Content-Type": FORM})
    assert_refused(answer, 413)


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/mixed",
                                          "application/x-www-form-urlencodedx", "nonsense", None])
def test_another_content_type_is_415(client, room, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    answer = client.request("POST", messages_path(room), b"from=al&text=x", headers)
    assert_refused(answer, 415)


@pytest.mark.parametrize("kind, body", [
    ("multipart/form-data", b""),
    ("multipart/form-data; boundary=", b"----\r\n"),
    ("multipart/form-data; boundary=b", b""),
    ("multipart/form-data; boundary=b", b"--b\r\n"),
    ("multipart/form-data; boundary=b", b"--b\r\nno header\r\n\r\nx\r\n--b--\r\n"),
    ("multipart/form-data; boundary=b",
     b'--b\r\nContent-Disposition: form-data; name="from"\r\n\r\nal\r\n'
     b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nno end'),
    ("multipart/form-data; boundary=" + "b" * 71, b"--" + b"b" * 71 + b"--\r\n"),
    ("multipart/form-data; boundary=b; boundary=c", b"--b--\r\n")])
def test_a_malformed_multipart_body_is_400(client, room, kind, body):
    answer = client.request("POST", messages_path(room), body, {"Content-Type": kind})
    assert_refused(answer, 400)
    assert listed(client, room)["messages"] == []


def test_a_file_is_no_text(client, room):
    kind, body = multipart([("from", "al")])
    body = body.replace(b"--x-boundary-x--", (
        b'--x-boundary-x\r\nContent-Disposition: form-data; name="text"; filename="a.txt"\r\n'
        b"\r\nhello\r\n--x-boundary-x--"))
    assert_refused(client.request("POST", messages_path(room), body, {"Content-Type": kind}), 400)


@pytest.mark.parametrize("body", [
    b"", b"{", b"nonsense", b"[]", b'"x"', b"null", b'{"from":"al","text":"x"} trailing',
    b'{"from":1,"text":"x"}', b'{"from":"al","text":null}', b'{"from":"al","text":["x"]}',
    b'{"from":"al","text":{"a":1}}', b'{"from":"al","text":true}',
    b'{"from":"al","text":"x","text":"y"}', b'{"from":"al","text":"\\u0000"}',
    b'{"from":"al","text":"\\ud800"}', b'{"from":"al","text":"\xff"}',
    b'{"from":"al","text":' + b"[" * 5000 + b"]" * 5000 + b"}"],
    ids=lambda body: body[:40].decode(errors="replace"))
def test_json_of_the_wrong_kind_is_400(client, room, body):
    assert_refused(client.post_json(messages_path(room), body), 400)
    assert listed(client, room)["messages"] == []


@pytest.mark.parametrize("field, body", [("from", b'{"from":1,"text":"x"}'),
                                         ("text", b'{"from":"al","text":2}')])
def test_a_json_member_of_the_wrong_type_is_named(client, room, field, body):
    assert_refused(client.post_json(messages_path(room), body), 400, field)


# -- methods and paths -----------------------------------------------------------------------------

def allowed(answer):
    """The methods of Allow; TRACE is the core's own business."""
    return {part.strip() for part in answer.header("Allow").split(",")} - {"TRACE"}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_another_method_is_405_with_what_is_allowed(client, room, method):
    answer = client.request(method, messages_path(room), b"x")
    assert answer.status == 405
    assert allowed(answer) == {"GET", "HEAD", "POST", "OPTIONS"}
    answer = client.request(method, f"/rooms/{room}/events/", b"x")
    assert answer.status == 405
    assert allowed(answer) == {"GET", "HEAD", "OPTIONS"}


def test_events_cannot_be_posted(client, room):
    answer = client.form(f"/rooms/{room}/events/", {"from": "al", "text": "x"})
    assert answer.status == 405 and allowed(answer) == {"GET", "HEAD", "OPTIONS"}


def test_a_method_that_nobody_knows_is_refused(client, room):
    assert client.request("BREW", messages_path(room)).status in (405, 501)


@pytest.mark.parametrize("which, methods", [("messages", {"GET", "HEAD", "POST", "OPTIONS"}),
                                            ("events", {"GET", "HEAD", "OPTIONS"})])
def test_options_tells_the_methods(client, room, which, methods):
    answer = client.request("OPTIONS", f"/rooms/{room}/{which}/")
    assert answer.status in (200, 204) and answer.body == b""
    assert allowed(answer) == methods


@pytest.mark.parametrize("method, status", [("GET", 301), ("HEAD", 301), ("POST", 308)])
@pytest.mark.parametrize("which", ["messages", "events"])
def test_a_path_without_its_slash_is_redirected(client, method, status, which):
    if (method, which) == ("POST", "events"):
        status = 405
    answer = client.request(method, f"/rooms/a%20%C3%BC%3Bb/{which}?user=al&x=%2F", b"",
                            {"Content-Type": FORM})
    assert answer.status == status
    if status != 405:
        target = urllib.parse.urlsplit(answer.header("Location"))
        assert urllib.parse.unquote(target.path) == f"/rooms/a ü;b/{which}/"
        assert re.fullmatch(r"[!-~]+", target.path) and target.query == "user=al&x=%2F"


def test_a_redirected_post_is_not_stored(client, room):
    answer = client.form(f"/rooms/{room}/messages", {"from": "al", "text": "x"})
    assert answer.status == 308
    again = client.form(urllib.parse.urlsplit(answer.header("Location")).path,
                        {"from": "al", "text": "x"})
    assert again.status == 200
    assert len(listed(client, room)["messages"]) == 1


@pytest.mark.parametrize("name", ROOM_NAMES)
def test_a_room_may_have_any_name(client, name):
    client.say(name, "here")
    answer = listed(client, name)
    assert [m["text"] for m in answer["messages"]] == ["here"]
    position = answer["last-event-id"]
    assert re.fullmatch(r"[!-~]+", position) and not re.search(r"[,;\"'<>\\]", position)
    assert urllib.parse.unquote(position) == f"room-{name}:1"


def test_a_room_is_the_same_however_its_name_is_encoded(client, room):
    client.say(room + "-é", "one")
    path = messages_path(room + "-é").replace(room, segment(room).replace("r", "%72", 1))
    for variant in (path, path.replace("%C3%A9", "%c3%a9")):
        assert len(client.get(variant).json["messages"]) == 1


@pytest.mark.parametrize("name", ["%01", "a%0Ab", "a%0D%0Ab", "%7F", "%C2%85", "%FF", "%C0%AF",
                                  "%00", "%ED%A0%80", "x" * 65, "%F0%9F%99%82" * 65])
@pytest.mark.parametrize("which", ["messages", "events"])
def test_what_cannot_be_a_room_is_refused(client, name, which):
    answer = client.get(f"/rooms/{name}/{which}/")
    assert answer.status in (400, 404), answer
    assert answer.header("Grip-Hold") is None


@pytest.mark.parametrize("path", [
    "/rooms/a%2Fb/messages/", "/rooms/./messages/", "/rooms//messages/", "/rooms/messages/", "/rooms/", "/rooms/a/",
    "/rooms/a/messages/x", "/rooms/a/messages/x/", "/rooms/a/b/messages/", "/rooms/a/Messages/",
    "/rooms/a/events/x/", "/rooms/a/from/1/messages/"])
def test_other_paths_are_404(client, path):
    assert client.get(path).status == 404


@pytest.mark.parametrize("path", ["/rooms/../messages/", "/rooms/%2e%2e/messages/"])
def test_a_path_that_leads_out_of_the_rooms_is_not_ours(servers, path):
    apache = servers.apache(lambda a: chat_site(a.database, servers.listener().url))
    apache.error_log.allow("AH01630")  # the folder above it is closed
    assert apache.client.get(path).status in (403, 404)


def test_a_list_in_json_is_one_line(client, room):
    client.say(room, "a\nb\r\nc")
    body = client.get(messages_path(room)).body
    assert body.count(b"\n") == 1 and b"\r" not in body
    assert json.loads(body)["messages"][0]["text"] == "a\nb\r\nc"
