"""The page of `./dev run`: every /{room} is the page, everything else a file or nothing."""

import pytest

from harness.client import segment


@pytest.fixture(scope="module")
def client(module_servers):
    proxy = module_servers.listener()
    return module_servers.apache(lambda a: a.page_site(proxy.url)).client


@pytest.fixture(scope="module")
def page(client):
    answer = client.get("/")
    assert answer.status == 200 and b"<html" in answer.body
    return answer.body


@pytest.mark.parametrize("name", ["default", "🙂" * 64, "assets", "index", "rooms", "a.b", "a b",
                                  "%", "favicon", "ü;,'\"", "日本語"])
@pytest.mark.parametrize("query", ["", "?user=al"])
def test_a_room_is_the_page(client, page, name, query):
    answer = client.get(f"/{segment(name)}{query}")
    assert answer.status == 200, answer
    assert answer.header("Content-Type").partition(";")[0] == "text/html"
    assert answer.body == page
    assert "default-src 'none'" in answer.header("Content-Security-Policy")


@pytest.mark.parametrize("path, kind", [("/assets/chat.js", "text/javascript"),
                                        ("/assets/chat.css", "text/css"),
                                        ("/assets/icon.svg", "image/svg+xml")])
def test_an_asset_is_itself(client, path, kind):
    answer = client.get(path)
    assert answer.status == 200 and answer.header("Content-Type").partition(";")[0] == kind


@pytest.mark.parametrize("path", ["/assets/missing.js", "/assets/x/y.css", "/x/y", "/x/",
                                  "/rooms/x/", "/rooms/x/nothing/"])
def test_what_is_no_file_and_no_room_is_404(client, path):
    assert client.get(path).status == 404


def test_the_rooms_are_not_the_page(client, room):
    assert client.say(room, "hello")["text"] == "hello"
    assert client.get(f"/rooms/{room}/messages/").json["last-event-id"] == f"room-{room}:1"
