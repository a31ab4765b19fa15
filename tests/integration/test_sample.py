"""conf/grip_chat.conf and the lines of the README mount the chat on one host, and leave the others as they are."""

import re
import textwrap

import pytest

from harness import paths
from harness.client import FORM, form_body
from harness.layouts import chat_conf
from harness.sites import Host, vhost

# What the other host has of its own, and what it has not.
ADDRESSES = ["/", "/about", "/about/", "/chat", "/chat/", "/chat/default", "/default", "/rooms/x/messages/",
             "/chat/rooms/x/messages/", "/chat/rooms/x/events/", "/a/b", "/chat/rooms/"]


def sample(apache):
    """conf/grip_chat.conf, as a host includes it."""
    return f'Include "{chat_conf(apache, "none")}"\n'


def readme(apache):
    """What stands inside the <VirtualHost> of the README."""
    chat_conf(apache, "none")  # for the page
    text = (paths.ROOT / "README.md").read_text()
    lines = re.search(r"(?s)    <VirtualHost \*:80>\n(.*?)    </VirtualHost>\n", text)[1]
    return (textwrap.dedent(lines).replace("ServerName chat.example\n", "")
            .replace("/var/lib/grip-chat/chat.db", str(apache.database))
            .replace("/usr/local/share/mod_grip_chat/htdocs", str(apache.directory / "htdocs"))
            .replace("/usr/local/share/mod_grip_chat/page.conf", str(paths.PAGE_CONF)))


@pytest.mark.parametrize("lines", [sample, readme])
def test_one_host_gets_the_chat_and_another_stays_as_it_is(servers, lines):
    def site(apache):
        root = apache.directory / "other"
        root.mkdir()
        for name in ("index.html", "about"):
            (root / name).write_text(f"the {name} of another host")
        own = (f'DocumentRoot "{root}"\n<Directory "{root}">\nRequire all granted\n</Directory>\n')
        return vhost(apache, "other", own) + vhost(apache, "chat", own + lines(apache))
    apache = servers.apache(site)
    chat, other = (Host(apache.client, name) for name in ("chat", "other"))
    page = chat.get("/chat/")
    assert page.status == 200 and page.body == chat.get("/chat/default").body and b"<html" in page.body
    assert "frame-ancestors 'self'" in page.header("Content-Security-Policy")
    assert chat.get("/chat/assets/" + next((paths.HTDOCS / "assets").glob("*.js")).name).status == 200
    said = chat.request("POST", "/chat/rooms/x/messages/", form_body({"from": "al", "text": "hi"}),
                        {"Content-Type": FORM})
    assert said.status == 200 and said.json["text"] == "hi"
    assert chat.get("/about").text == "the about of another host"
    for path in ADDRESSES:
        answer = other.get(path)
        assert answer.status == (200 if path in ("/", "/about") else 404), (path, answer)
        assert b"another host" in answer.body or b"Not Found" in answer.body
