"""Requests as a proxy signs them, and what their answers say."""

from . import grip, sse


def signed(client, path, token=None, **headers):
    return client.get(path, Grip_Sig=token or grip.token(), **headers)


def fill(client, room, count, text="m{}"):
    for number in range(1, count + 1):
        client.say(room, text.format(number))


def numbers(answer):
    _, events = sse.parse(answer.body)
    return [int(event.id.rpartition(":")[2]) for event in events if event.kind == "message"]


def is_held(answer):
    assert answer.status == 200, answer
    if answer.header("Grip-Hold") is None:
        assert answer.header("Grip-Channel") is None and answer.header("Grip-Link") is None
        return False
    assert answer.header("Grip-Hold") == "stream"
    return True
