"""The layouts of docs/layouts.md: each sample of conf/layouts runs, with curl as the visitor."""

import re

import pytest

from harness import paths
from harness.client import events_path, messages_path
from harness.layouts import (Curl, Front, certificate_words, chat_conf, pushpin_of_the_sample,
                             sample)
from harness.ports import free_port
from harness.processes import end, wait_until
from harness.pushpin import Pushpin

VISITOR = "127.0.0.7"


def load(*names):
    modules = paths.apache_modules_dir()
    return "".join(f'<IfModule !mod_{name}.c>\nLoadModule {name}_module "{modules}/mod_{name}.so"\n'
                   "</IfModule>\n" for name in names)


def apache_alone(servers):
    """Layout 1."""
    def site(apache):
        apache.tls_port = free_port()
        apache.error_log.allow("AH01873")  # there is no session cache
        words = certificate_words(apache.directory)
        del words["/etc/ssl/chat.example/bundle.pem"]
        return load("ssl") + f"Listen 127.0.0.1:{apache.tls_port}\n" + sample("apache.conf", {
            "*:443": f"127.0.0.1:{apache.tls_port}", "ServerName chat.example": "ServerName localhost",
            "/etc/apache2/grip_chat.conf": chat_conf(apache, "none"), **words})
    apache = servers.apache(site)
    return apache, apache.tls_port


def apache_behind(servers, port, make_pushpin=None):
    """The Apache of layouts 2 to 4, for readers who come to `port`, and its Pushpin if it has one."""
    made = []

    def site(apache):
        if make_pushpin:
            # It ends after Apache, which may still publish.
            made.append(servers.keep(make_pushpin(apache.port), Pushpin.stop).start())
        return load("remoteip") + sample("apache-behind.conf", {
            "<VirtualHost 127.0.0.1:8080>": f"<VirtualHost 127.0.0.1:{apache.port}>",
            "https://chat.example": f"https://localhost:{port}",
            "/etc/apache2/grip_chat.conf": chat_conf(apache, made[0].grip_url if made else "none")})
    return (servers.apache(site), *made)


def behind(name):
    """Layout 2."""
    def start(servers):
        port = free_port()
        apache, = apache_behind(servers, port)
        return apache, servers.keep(Front(name, port, apache.port), Front.stop).start().port
    return start


def pushpin_with_tls(servers):
    """Layout 3."""
    port = free_port()
    apache, _ = apache_behind(servers, port, lambda origin: pushpin_of_the_sample(origin, port))
    return apache, port


def behind_with_pushpin(name):
    """Layout 4."""
    def start(servers):
        port = free_port()
        apache, pushpin = apache_behind(servers, port, pushpin_of_the_sample)
        front = Front(name, port, apache.port, pushpin.port)
        return apache, servers.keep(front, Front.stop).start().port
    return start


LAYOUTS = {
    "apache": apache_alone,
    "nginx": behind("nginx.conf"),
    "haproxy": behind("haproxy.cfg"),
    "pushpin": pushpin_with_tls,
    "nginx-pushpin": behind_with_pushpin("nginx-pushpin.conf"),
    "haproxy-pushpin": behind_with_pushpin("haproxy-pushpin.cfg"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_serves_page_posts_and_live_streams_over_tls(servers, layout):
    apache, port = LAYOUTS[layout](servers)
    curl = Curl(port, VISITOR)
    page = curl.run("/chat/")
    assert "<title>" in page and "content-security-policy" in page.lower()
    say(curl, "before")
    hear(curl, apache.directory / "stream")
    redirect = curl.run("/chat" + messages_path("default").rstrip("/"))
    assert re.search(rf"(?im)^location: (https://localhost:{port})?/chat/rooms/default/messages/\s*$",
                     redirect), redirect
    assert posters(apache) == {VISITOR}, "neither the server in front nor a forged address"


def say(curl, text):
    answer = curl.run("/chat" + messages_path("default"), "-d", "from=al", "-d", f"text={text}")
    assert re.match(r"HTTP/[12.]+ 200", answer), answer


def hear(curl, output):
    """A stream is held and gets each message when it is stored."""
    stream = curl.stream("/chat" + events_path("default"), output)
    try:
        wait_until(lambda: b"event: stream-open" in output.read_bytes(), 30, "stream-open")
        for number in range(3):
            say(curl, f"live {number}")
            wait_until(lambda wanted=f"live {number}".encode(): wanted in output.read_bytes(), 30,
                       f"message {number} on the stream")
        assert stream.poll() is None, "the stream was not held"
    finally:
        end(stream)
    assert output.read_bytes().count(b"event: stream-open") == 1


def posters(apache):
    """The addresses that the access log has for posts."""
    lines = (apache.directory / "access.log").read_text().splitlines()
    return {line.split()[0] for line in lines if '"POST /chat' in line}
