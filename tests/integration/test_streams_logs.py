"""Access logs that hold up whoever writes to them, while the module's own streams begin, go on and end."""

import os
import select
import time

import pytest

from harness.client import events_path
from harness.httpd import MPM, Apache
from harness.name_server import NameServer, asking, own_mounts_are_possible
from harness.processes import wait_until
from harness.raw_stream import RawStream
from harness.sites import chat_site

pytestmark = pytest.mark.skipif(MPM != "event", reason="only mpm_event can hold a stream")

# A line of the log is as long as this, so that few of them fill a pipe.
AGENT = "x" * 4000


# 160 KB of log, where a pipe holds 64.
STREAMS = 40


def only_streams(target):
    """Only events are logged there, so that no worker of other requests is held up."""
    return ('SetEnvIf Request_URI "/events/" is-stream\n'
            f'CustomLog "{target}" "%U %B %{{User-Agent}}i" env=is-stream\n')


def opened(apache, room):
    streams = [RawStream(apache.port, events_path(room), f"User-Agent: {AGENT}")
               for _ in range(STREAMS)]
    for stream in streams:
        stream.read_until(b"stream-open")
    return streams


def check_goes_on(apache, room, reader):
    began = time.monotonic()
    for number in range(1, 11):
        apache.client.say(room, str(number))
        reader.wait_messages(number)
    assert time.monotonic() - began < 10 and len(reader.connects) == 1


def test_a_piped_log_that_blocks_holds_up_no_other_stream(servers, room):
    """Its program reads nothing before it is let go."""
    files = {}

    def site(apache):
        files.update(go=apache.directory / "go", log=apache.directory / "piped.log")
        program = apache.directory / "stuck.sh"
        program.write_text(f"#!/bin/sh\nwhile [ ! -e {files['go']} ]; do sleep 0.1; done\n"
                           f"exec cat >>{files['log']}\n")
        program.chmod(0o755)
        return only_streams(f"|{program}") + chat_site(apache.database, "none", Streams="On")

    apache = servers.apache(site)
    try:
        reader = servers.event_source(apache.port, events_path(room)).wait_open()
        for stream in opened(apache, room):
            stream.close()
        check_goes_on(apache, room, reader)
        assert not files["log"].exists()
    finally:
        files["go"].touch()
    wait_until(lambda: files["log"].exists() and
               len(files["log"].read_text().splitlines()) == STREAMS,
               20, "a line for each stream that has ended")


def test_readers_are_sent_away_though_their_log_blocks(servers, room):
    """The log is a pipe that nobody reads, and a graceful restart ends all streams."""
    pipes = []

    def site(apache):
        path = apache.directory / "log.pipe"
        os.mkfifo(path)
        pipes.append(os.open(path, os.O_RDWR))
        return only_streams(path) + chat_site(apache.database, "none", Streams="On")

    apache = servers.apache(site)
    text = b""
    try:
        streams = opened(apache, room)
        apache.graceful()
        for stream in streams:
            assert b"retry: " in stream.read_all().body[-20:]
            stream.close()
    finally:
        while text.count(b"\n") < STREAMS:
            assert select.select(pipes, [], [], 20)[0], f"{text.count(b'lines')} lines"
            text += os.read(pipes[0], 65536)
        os.close(pipes[0])


@pytest.mark.skipif(not own_mounts_are_possible(), reason="needs mounts of its own")
def test_a_slow_name_server_holds_up_no_other_stream(servers, room):
    """With HostnameLookups On, each reader's name is looked up when its stream is logged."""
    name_server = servers.keep(NameServer(), NameServer.close)
    name_server.is_silent = True
    apache = Apache(lambda a: "HostnameLookups On\n"
                    f'CustomLog "{a.directory}/names.log" "%h %U"\n'
                    + chat_site(a.database, "none", Streams="On"))
    servers.keep(apache, Apache.stop)
    apache.wrap(asking(name_server, apache.directory))
    apache.start()
    reader = servers.event_source(apache.port, events_path(room)).wait_open()
    stream = RawStream(apache.port, events_path(room), source="127.9.9.9").read_until(b"stream-open")
    before = name_server.questions
    stream.close()
    wait_until(lambda: name_server.questions > before, 20, "question for the name")
    check_goes_on(apache, room, reader)
    log = apache.directory / "names.log"
    assert "127.9.9.9" not in log.read_text()
    name_server.is_silent = False
    wait_until(lambda: "127.9.9.9" in log.read_text(), 40, "line of the stream")
