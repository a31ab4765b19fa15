"""`./dev run`: what it starts can be chatted through, and a Ctrl-C ends all of it."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess

import pytest

from harness import grip, paths
from harness.client import Client, events_path, messages_path
from harness.ports import free_port
from harness.processes import kill_session, remove_directory, run_directory, spawn, wait_until

pytestmark = pytest.mark.skipif(
    paths.module_path() != paths.ROOT / "build" / ".libs" / "mod_grip_chat.so",
    reason="./dev run would build in build/, which is not what is tested")


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class DevRun:
    """One that is ended as by a terminal."""

    def __init__(self, *options, environment=None):
        self.directory = run_directory()
        self.ports = {name: free_port() for name in ("port", "origin-port", "pushpin-port", "publish-port")}
        self._log = self.directory / "output.log"
        words = [f"--{name}={port}".split("=") for name, port in self.ports.items()]
        self._process = spawn([paths.ROOT / "dev", "run", "--no-install", *sum(words, []),
                               "--dir", self.directory / "run", *options], self._log,
                              dict(os.environ, **(environment or {})))

    def output(self):
        return self._log.read_text(errors="replace")

    def wait_ready(self, port):
        wait_until(lambda: "ready:" in self.output() or self._process.poll() is not None, 60, "address")
        assert f"ready: http://localhost:{self.ports[port]}/\n" in self.output(), self.output()
        return self.ports[port]

    def interrupt(self):
        """Ctrl-C; returns the exit code, and which ports are still taken."""
        os.killpg(self._process.pid, signal.SIGINT)
        code = self._process.wait(30)
        return code, [name for name, port in self.ports.items() if is_open(port)]

    def clean(self):
        # Its servers have sessions of their own, and end with it.
        kill_session(self._process)
        wait_until(lambda: not any(map(is_open, self.ports.values())), 20, "end of its servers")
        remove_directory(self.directory)


@pytest.fixture
def dev_run(servers):
    return lambda *options, **more: servers.keep(DevRun(*options, **more), DevRun.clean)


@pytest.mark.parametrize("options", [[], ["--edge"]], ids=["pushpin", "edge"])
def test_one_can_chat_through_it_until_ctrl_c(servers, dev_run, options):
    if options and not shutil.which("wasm-ld"):
        pytest.skip("what compiles the edge app is not installed")
    if not paths.pushpin():
        pytest.skip("there is no Pushpin here")
    run = dev_run(*options)
    port = run.wait_ready("port")
    client = Client(port)
    assert (client.get("/.well-known/fastly/demo-manifest").status == 200) == bool(options)
    assert client.get("/default").status == 200, "the page"
    reader = servers.event_source(port, events_path("x")).wait_open()
    client.say("x", "hello")
    reader.wait_messages(1)
    assert reader.texts == ["hello"] and len(reader.connects) == 1
    reader.close()
    assert run.interrupt() == (0, [])


def test_without_pushpin_apache_serves_the_page_alone(servers, dev_run):
    """As on Debian 13, which has no such package."""
    run = dev_run(environment={"GRIP_CHAT_PUSHPIN": "none"})
    port = run.wait_ready("port")
    assert run.output().count("there is no Pushpin here") == 1
    client = Client(port)
    assert client.get("/default").status == 200, "the page"
    reader = servers.event_source(port, events_path("x")).wait_open()
    client.say("x", "hello")
    reader.wait_messages(1)
    assert reader.texts == ["hello"] and len(reader.connects) == 1
    reader.close()
    assert run.interrupt() == (0, [])


def test_a_newer_pushpin_finds_its_programs_where_it_is(dev_run, tmp_path):
    """It looks for them on the PATH alone, and GRIP_CHAT_PUSHPIN may name one that is elsewhere."""
    programs = {"pushpin": "[ $1 = --version ] && echo pushpin 1.41.0 || pushpin-connmgr",
                "pushpin-connmgr": "echo its connection manager runs"}
    for name, script in programs.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    internal = tmp_path / "lib" / "pushpin" / "internal.conf"
    internal.parent.mkdir(parents=True)
    internal.touch()
    run = dev_run(environment={"GRIP_CHAT_PUSHPIN": str(tmp_path / "bin" / "pushpin")})
    wait_until(lambda: "its connection manager runs" in run.output(), 60, "program of Pushpin's")
    run.interrupt()


def test_who_wants_no_proxy_is_not_asked_for_one(dev_run):
    run = dev_run("--no-proxy", environment={"GRIP_CHAT_PUSHPIN": "/there/is/none"})
    assert Client(run.wait_ready("origin-port")).get("/default").status == 200
    assert run.interrupt() == (0, [])


@pytest.mark.parametrize("pushpin, said", [
    ("none", "--edge needs Pushpin, and there is none here"),
    ("/there/is/none", "GRIP_CHAT_PUSHPIN: /there/is/none is no program"),
])
def test_the_edge_app_does_not_start_without_pushpin(pushpin, said):
    ports = sum((["--" + name, str(free_port())] for name in
                 ("port", "origin-port", "pushpin-port", "publish-port")), [])
    answer = subprocess.run([paths.ROOT / "dev", "run", "--no-install", "--edge", *ports],
                            env=dict(os.environ, GRIP_CHAT_PUSHPIN=pushpin), capture_output=True,
                            text=True, timeout=60, check=False)
    assert answer.returncode == 1 and said in answer.stderr


def _is_held_by_proxy(port, token):
    """By the answer's head alone, as Apache holds the stream itself for whoever is no proxy of its own."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", events_path("x"), headers={"Grip-Sig": token})
        return connection.getresponse().headers["Grip-Hold"] == "stream"


def test_apache_alone_can_have_a_proxy_that_is_started_elsewhere(servers, dev_run):
    """Such as the Pushpin of `fastly compute serve`; see docs/fastly.md."""
    proxy = servers.listener()
    run = dev_run("--no-proxy", "--grip-url", f"{proxy.url}?verify-iss=viceroy&key=another|key")
    port = run.wait_ready("origin-port")
    assert _is_held_by_proxy(port, grip.token("another|key", iss="viceroy"))
    assert not _is_held_by_proxy(port, grip.token("another|key", iss="pushpin"))
    client = Client(port)
    client.say("x", "hello")
    proxy.wait_for_message(1)
    assert run.interrupt() == (0, [])


@pytest.mark.parametrize("options, said", [
    (["--grip-url", "http://127.0.0.1:1/"], "--grip-url is for --no-proxy"),
    (["--no-proxy", "--edge"], "--edge needs the proxy"),
    (["--edge", "--origin-port", "7", "--port", "8", "--publish-port", "9", "--pushpin-port", "7"],
     "must differ"),
])
def test_what_makes_no_sense_is_said_and_starts_nothing(options, said):
    answer = subprocess.run([paths.ROOT / "dev", "run", "--no-install", *options], capture_output=True,
                            text=True, timeout=20, check=False)
    assert answer.returncode == 1 and said in answer.stderr
