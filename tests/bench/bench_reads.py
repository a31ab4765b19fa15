"""The rows that read: lists and events, against a static file that Apache sends from the disk."""

import time

from bench.bench_fill import with_rooms
from bench.bench_load import Load, median, ratios, request, side_by_side
from bench.bench_result import Result
from harness import grip
from harness.client import events_path, messages_path

CONNECTIONS = 64
# A proxy signs anew once in a while; its requests have few tokens, which repeat.
TOKENS = 4


def _apache(bench, **directives):
    return bench.apache_that_publishes(fill=with_rooms(1, 50), **directives)


def _probe(apache, one, status=200):
    answer = apache.client.request(one["method"], one["path"], headers=one["headers"])
    assert answer.status == status, answer
    return answer


def _compare(bench, apache, ours, name, what, target, yardstick_headers=None, status=200):
    """Our requests take turns; the static file has the bytes of the list of 50 messages."""
    listed = _probe(apache, request(messages_path("r1"))).body
    file = request(apache.static_file(listed))
    text = f"static file of {len(listed):,} bytes"
    if yardstick_headers:
        file["headers"] = yardstick_headers(_probe(apache, file))
        text += ", If-None-Match"
    _probe(apache, file, status)
    for one in ours:
        sent = _probe(apache, one, status)
    ceiling = request(f"/ceiling?{len(sent.body)}", headers=ours[0]["headers"])
    _probe(apache, ceiling, status)
    # All take turns among as many requests: to wrk they are the same work.
    loads = [Load(apache.port, requests, CONNECTIONS)
             for requests in ([file] * len(ours), ours, [ceiling] * len(ours))]
    theirs, mine, most = side_by_side([lambda load=load: load.run(bench.scale.seconds)
                                       for load in loads], bench.scale.runs)
    return Result(name, what, text, ratios(mine, theirs, "rate"), target, True,
                  f"a handler that only sends as many bytes: {median(ratios(most, theirs, 'rate')):.2f} ×")


def messages(bench):
    return _compare(bench, _apache(bench), [request(messages_path("r1"))], "messages",
                    "GET messages, 50 in the room, 64 connections", 1.25)


def not_modified(bench):
    apache = _apache(bench)

    def matching(answer):
        return {"If-None-Match": answer.header("ETag")}
    first = _probe(apache, request(messages_path("r1")))
    return _compare(bench, apache, [request(messages_path("r1"), headers=matching(first))],
                    "not-modified", "the same with If-None-Match", 1.0, matching, 304)


def _current(tokens):
    return [request(events_path("r1"), headers={"Grip-Sig": token, "Last-Event-ID": "room-r1:50"})
            for token in tokens]


def _tokens(**how):
    return [grip.token(expires_in=3600 + number, **how) for number in range(TOKENS)]


def events_hs256(bench):
    apache = _apache(bench)
    ours = _current(_tokens())
    assert _probe(apache, ours[0]).header("Grip-Hold") == "stream"
    return _compare(bench, apache, ours, "events-hs256",
                    "GET events, proxied, HS256, position current", 1.15)


def events_es256(bench):
    pair = grip.ec_key()
    apache = _apache(bench, GripVerifyKey=f'"{grip.setting(pair.public)}"')
    ours = _current(_tokens(key=pair.private, algorithm="ES256"))
    assert _probe(apache, ours[0]).header("Grip-Hold") == "stream"
    return _compare(bench, apache, ours, "events-es256",
                    "the same with ES256, four tokens that repeat", 1.1)


def events_next(bench):
    apache = _apache(bench)
    tokens = _tokens()
    held = _probe(apache, _current(tokens)[0])
    link, _ = grip.parse_link(held.header("Grip-Link"))
    channel, _ = grip.parse_channel(held.header("Grip-Channel"))
    ours = [request(link, headers={"Grip-Sig": token, "Grip-Last": f"{channel}; last-id=40"})
            for token in tokens]
    assert _probe(apache, ours[0]).text.count("event: message") == 10
    return _compare(bench, apache, ours, "events-next",
                    "GET events with a next link and Grip-Last, 10 events behind", 1.0)


def cold_rooms(bench):
    """One request after the other, each to the next room, in caches of several sizes."""
    rooms = bench.scale.rooms
    fill = with_rooms(rooms, 50)
    # A list of 50 with its events takes some 20 KB.
    small, large = rooms * 1024, rooms * 65536
    loads = {}
    for size in ("Off", max(small, 65536), large):
        apache = bench.apache(fill=fill, CacheSize=size)
        loads[size] = Load(apache.port, [request("/rooms/r{n}/messages/")], 1, cycle=rooms)
        if size == large:
            _ask_all(apache, rooms)
    off, miss, hit = side_by_side([lambda load=load: load.run(bench.scale.seconds)
                                   for load in loads.values()], bench.scale.runs)
    found = ratios(miss, off, "p50")
    hits = sorted(a["p50"] / b["p50"] for a, b in zip(hit, off))
    return Result("cold-rooms", f"GET messages of {rooms:,} rooms in turn, the cache smaller than that",
                  "the same without a cache: one indexed read each (p50)", found, 1.25, False,
                  f"a hit takes {hits[len(hits) // 2]:.2f} of it")


def _ask_all(apache, rooms):
    import http.client  # pylint: disable=import-outside-toplevel
    connection = http.client.HTTPConnection("127.0.0.1", apache.port, timeout=20)
    for number in range(1, rooms + 1):
        connection.request("GET", f"/rooms/r{number}/messages/")
        connection.getresponse().read()
    connection.close()


def cold_load(bench, messages_stored):
    """Lists of rooms of 50 messages, without a cache, in a database with so many messages."""
    rooms = messages_stored // 50
    apache = bench.apache(fill=with_rooms(rooms, 50), CacheSize="Off")
    return Load(apache.port, [request("/rooms/r{n}/messages/")], 1, cycle=rooms)


def stored(bench):
    few, many = bench.scale.messages // 1000, bench.scale.messages
    loads = [cold_load(bench, few), cold_load(bench, many)]
    theirs, mine = side_by_side([lambda load=load: load.run(bench.scale.seconds)
                                 for load in loads], bench.scale.runs)
    return Result("stored", f"GET messages of a cold room, {many:,} messages stored",
                  f"{few:,} messages stored (p50)", ratios(mine, theirs, "p50"), 1.5, False)


def _resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def memory(bench):
    """What a child has once each of its threads has met each kind of request, and much later."""
    apache = _apache(bench)
    ours = [request(messages_path("r1")), *_current(_tokens()), request(messages_path("none")),
            request("/rooms/r1/messages/", "POST",
                    {"Content-Type": "application/x-www-form-urlencoded"},
                    "from=al&text=number+{n}")]
    load = Load(apache.port, ours, CONNECTIONS)
    child, = apache.children()

    def until(count):
        end = time.monotonic() + 3600
        while load.sent < count and time.monotonic() < end:
            load.run(bench.scale.seconds)
        return _resident(child)
    first = until(10000)
    first_count = load.sent
    warm = until(bench.scale.requests // 3)
    warm_count = load.sent
    later = until(bench.scale.requests)
    return Result("memory", f"memory of a child after {load.sent:,} requests",
                  f"after {warm_count:,}", [later / warm], 1.05, False,
                  f"{first:,} KB after {first_count:,}, {warm:,} KB, then {later:,} KB")


ROWS = {"messages": messages, "not-modified": not_modified, "events-hs256": events_hs256,
        "events-es256": events_es256, "events-next": events_next, "cold-rooms": cold_rooms,
        "stored": stored, "memory": memory}
