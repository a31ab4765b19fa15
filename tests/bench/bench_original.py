"""The rows beside the original demo, for who has its sources: `./dev bench --original DIR`.

DIR is its folder `origin`, with the virtualenv `venv` that its README makes; without one python3 has to
find what it imports. It runs under gunicorn, which has to be in the same Python."""

import os
import pathlib
import subprocess

from bench.bench_load import Load, median, ratios, request, side_by_side
from bench.bench_result import Result
from harness import grip
from harness.client import FORM, Client, events_path, form_body, messages_path
from harness.ports import free_port
from harness.processes import end, remove_directory, run_directory, spawn, wait_until

_CONNECTIONS = 64
_KEY = "changeme"


class Original:
    """Its own database, in a folder of this run; its sources are left as they are."""

    def __init__(self, source, publish_url):
        self._source = pathlib.Path(source).resolve()
        if not (self._source / "server" / "wsgi.py").exists():
            raise SystemExit(f"bench: --original {source}: there is no server/wsgi.py; name the folder"
                             " `origin` of fastly/fanout-chat-demo")
        self.directory = run_directory()
        self.port = free_port()
        python = self._source / "venv" / "bin" / "python"
        self._python = str(python if python.exists() else "/usr/bin/python3")
        self._environment = {**os.environ, "DJANGO_SECRET_KEY": "bench", "PYTHONDONTWRITEBYTECODE": "1",
                             "DATABASE_URL": f"sqlite:///{self.directory}/db.sqlite3",
                             "GRIP_URL": f"{publish_url}?key={_KEY}", "GRIP_VERIFY_KEY": _KEY}
        self._process = None

    def start(self):
        made = subprocess.run([self._python, "manage.py", "migrate"], cwd=self._source,
                              env=self._environment, capture_output=True, text=True, timeout=60,
                              check=False)
        if made.returncode != 0:
            raise SystemExit(f"bench: the original does not start:\n{made.stdout}{made.stderr}")
        workers = 2 * os.cpu_count() + 1  # as gunicorn advises
        self._process = spawn(
            [self._python, "-m", "gunicorn", "--chdir", str(self._source), "--workers", str(workers),
             "--bind", f"127.0.0.1:{self.port}", "server.wsgi"],
            self.directory / "output.log", self._environment)
        wait_until(self._answers, 30, "answer of the original")
        return self

    def _answers(self):
        if self._process.poll() is not None:
            raise SystemExit("bench: the original does not start:\n"
                             + (self.directory / "output.log").read_text())
        try:
            return self.client.get(messages_path("r1")).status
        except OSError:
            return False

    @property
    def client(self):
        return Client(self.port)

    def stop(self):
        end(self._process, timeout=15)
        remove_directory(self.directory)


def _both(bench):
    """Ours and the original, each with 50 messages and a proxy that takes what they publish."""
    listener = bench.servers.listener()
    original = bench.servers.keep(Original(bench.original, listener.url), Original.stop).start()
    apache = bench.apache(grip_urls=[f"{listener.url}?key={_KEY}"])
    for server in (original, apache):
        for number in range(50):
            body = form_body({"from": "al", "text": f"a text of nearly sixty bytes, number {number:07}"})
            answer = server.client.request("POST", messages_path("r1"), body, {"Content-Type": FORM})
            assert answer.status == 200, answer
    return original, apache


def _row(name, what, make_request):
    def row(bench):
        sides = _both(bench)
        for server in sides:
            one = make_request()
            answer = server.client.request(one["method"], one["path"], (one["body"] or "").encode() or None,
                                           one["headers"])
            assert answer.status == 200, answer
        theirs, mine = side_by_side(
            [lambda load=Load(server.port, [make_request()], _CONNECTIONS): load.run(bench.scale.seconds)
             for server in sides], bench.scale.runs)
        p50 = [median([one["p50"] for one in side]) for side in (theirs, mine)]
        return Result(name, what, "the original, Django under gunicorn", ratios(mine, theirs, "rate"), 1,
                      True, f"p50 {p50[0]:.1f} ms, and {p50[1]:.2f} ms")
    return row


def _events():
    return request(events_path("r1"), headers={"Grip-Sig": grip.token(key=_KEY, expires_in=3600),
                                               "Last-Event-ID": "room-r1:50"})


def _post():
    return request(messages_path("r2"), "POST", {"Content-Type": FORM},
                   form_body({"from": "al", "text": "a text of nearly sixty bytes"}).decode())


ROWS = {
    "original-messages": _row("original-messages", "GET messages, 50 in the room, 64 connections",
                              lambda: request(messages_path("r1"))),
    "original-events": _row("original-events", "GET events, proxied, position current", _events),
    "original-posts": _row("original-posts", "POST, durable and published", _post),
}
