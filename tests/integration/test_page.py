"""The page of `./dev run`: every /{room} is the page, everything else a file or nothing."""

import re

import pytest

from harness import paths
from harness.client import segment

ASSETS = {path.name for path in (paths.HTDOCS / "assets").iterdir()}
KINDS = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}


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


@pytest.mark.parametrize("name", sorted(ASSETS))
def test_an_asset_is_itself(client, name):
    answer = client.get(f"/assets/{name}")
    assert answer.status == 200
    assert answer.header("Content-Type").partition(";")[0] == KINDS[name.rpartition(".")[2]]
    assert "default-src 'none'" in answer.header("Content-Security-Policy")


def test_the_page_names_every_module_so_that_all_are_asked_for_at_once(page):
    named = re.findall(r'<(?:script type="module" src|link rel="modulepreload" href)="assets/([^"]+)"',
                       page.decode())
    assert sorted(named) == sorted(name for name in ASSETS if name.endswith(".js"))


def test_every_asset_is_installed():
    listed = re.findall(r"htdocs/assets/(\S+)", (paths.ROOT / "Makefile.am").read_text())
    assert sorted(listed) == sorted(ASSETS)


@pytest.mark.parametrize("path", ["/assets/missing.js", "/assets/x/y.css", "/x/y", "/x/",
                                  "/rooms/x/", "/rooms/x/nothing/"])
def test_what_is_no_file_and_no_room_is_404(client, path):
    assert client.get(path).status == 404


def test_the_rooms_are_not_the_page(client, room):
    assert client.say(room, "hello")["text"] == "hello"
    assert client.get(f"/rooms/{room}/messages/").json["last-event-id"] == f"room-{room}:1"
