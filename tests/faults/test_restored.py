"""A backup is made and brought back while Apache runs, and files lie under names that are not theirs."""

import glob
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from faults.crowd import ERRORS, WARNINGS
from faults.scale import scaled
from harness.client import Client, messages_path
from harness.httpd import run_user
from harness.load import Senders, base_of, stored
from harness.processes import kill, wait_until
from harness.sites import chat_site

FAULTS = ERRORS + ".*GC0(151|162|164|203)"
# Each child answers a few requests, as on a shared host whose children do not grow old.
SHORT_LIVES = ("StartServers 4\nMinSpareServers 2\nMaxSpareServers 4\nServerLimit 16\n"
               "MaxRequestWorkers 16\nMaxConnectionsPerChild 3\n")


def run_as_owner(command):
    """What an operator writes: a line of a shell, as the run user."""
    words = ["sh", "-c", command]
    if os.geteuid() == 0:
        words = ["runuser", "-u", run_user(), "--", *words]
    return subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)


def back_up(database, to):
    """As docs/operations.md says. Returns after how many seconds."""
    begin = time.monotonic()
    command = f'sqlite3 {shlex.quote(str(database))} "VACUUM INTO \'{to}\'"'
    answer = run_as_owner(f"umask 077 && {command} && sync {shlex.quote(str(to))}")
    assert answer.returncode == 0, answer.stderr
    return time.monotonic() - begin


def texts_of(path):
    """What is in a database that nobody serves, once it is known to be whole."""
    with sqlite3.connect(path, timeout=10) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [row[0] for row in
                connection.execute("SELECT body FROM grip_chat_message ORDER BY id")]


def fill(database, count):
    """Messages of a room that is there, so many that the file has pages of its own for them."""
    with sqlite3.connect(database, timeout=10) as connection:
        room, last = connection.execute("SELECT id, last_event_id FROM grip_chat_room").fetchone()
        connection.executemany(
            "INSERT INTO grip_chat_message (room_id, event_id, sender, body, created_ms, job_key)"
            " VALUES (?, ?, 'al', ?, 1, ?)",
            [(room, last + n, f"filled {n} " + "x" * 200, f"filled-{n}")
             for n in range(1, count + 1)])
        connection.execute("UPDATE grip_chat_room SET last_event_id = ?", (last + count,))
    connection.close()


def short_lived(servers):
    apache = servers.apache(lambda a: SHORT_LIVES + chat_site(a.database, "none"), mpm="prefork")
    apache.error_log.allow(FAULTS, WARNINGS)
    return apache


def restore(apache, backup, times):
    """Puts copies of a backup in the database's place while new children ask for lists."""
    client = Client(apache.port)
    for n in range(times):
        copy = apache.database.with_name(f"copy-{n}.db")
        copy.write_bytes(backup.read_bytes())
        copy.chmod(0o600)
        if os.geteuid() == 0:
            os.chown(copy, apache.database.stat().st_uid, apache.database.stat().st_gid)
        for i in range(20):
            client.say("x", f"round {n} post {i}")
        os.replace(copy, apache.database)
        yield n
        wait_until(lambda n=n: apache.error_log.count("GC0205") > n, 20, "notice of another file")
        client.say("x", f"after {n}")
        wait_until(lambda: client.get(messages_path("x")).status == 200, 20, "list")


@pytest.mark.parametrize("how", ["frozen", "live"])
def test_restored_under_readers_alone(servers, figure, how):
    """Children that open the restored file before the keeper has seen it: the old log still lies there.

    While the keeper is frozen each of them does. Live, they have a second, again and again.
    """
    apache = short_lived(servers)
    client = Client(apache.port)
    client.say("x", "first")
    fill(apache.database, 2000)
    backup = apache.database.with_name("backup.db")
    back_up(apache.database, backup)
    kept = texts_of(backup)
    times = scaled(1, 10) if how == "frozen" else scaled(3, 100)
    answers = []
    for n in restore(apache, backup, times):
        keeper = apache.keeper()
        if how == "frozen":
            kill(keeper, signal.SIGSTOP)
        end = time.monotonic() + 1.5
        with ThreadPoolExecutor(8) as pool:
            while time.monotonic() < end:
                answers += pool.map(lambda _: Client(apache.port).get(messages_path("x")).status,
                                    range(16))
        if how == "frozen":
            kill(keeper, signal.SIGCONT)
    apache.terminate()
    apache.process.wait(20)
    assert texts_of(apache.database) == [*kept, f"after {times - 1}"]
    assert set(answers) <= {200, 503}
    figure(f"{times} restores, {len(answers)} lists meanwhile; integrity_check ok, "
           f"{len(kept)} messages of the backup and what came after it")


def test_moved_while_a_shell_reads_it(servers, figure):
    """What was acknowledged goes with the file, and where it cannot, an operator is told how it does."""
    apache = servers.apache(lambda a: chat_site(a.database, "none"))
    apache.error_log.allow(FAULTS, WARNINGS)
    moved = apache.database.with_name("moved.db")
    apache.client.say("x", "first")
    shell = sqlite3.connect(apache.database, isolation_level=None, timeout=10)
    shell.execute("BEGIN")
    shell.execute("SELECT count(*) FROM grip_chat_message").fetchall()
    for n in range(100):
        apache.client.say("x", f"{n}")
    os.rename(apache.database, moved)
    apache.error_log.wait_for("GC0220", 20)
    kept = re.search(r"which is kept as (\S+)\. Before", apache.error_log.tail()).group(1)
    assert kept == f"{apache.database}-wal.{moved.stat().st_ino}.1"
    apache.client.say("x", "in the next file")
    shell.close()
    os.rename(kept, f"{moved}-wal")
    assert texts_of(moved) == ["first", *map(str, range(100))]
    assert [m["text"] for m in apache.client.get(messages_path("x")).json["messages"]] == [
        "in the next file"]
    figure("100 of 100 acknowledged messages are in the moved file")


def test_log_left_when_the_file_was_replaced_without_apache(servers):
    """Everything is killed, and an operator puts a backup in its place and forgets the log."""
    apache = servers.apache(lambda a: chat_site(a.database, "none"))
    apache.error_log.allow(FAULTS, WARNINGS, "AH00098")  # the pid file of who was killed
    apache.client.say("x", "kept")
    backup, old = (apache.database.with_name(name) for name in ("backup.db", "old.db"))
    back_up(apache.database, backup)
    for n in range(30):
        apache.client.say("x", f"lost {n}")
    keeper = apache.keeper()
    kill(apache.process.pid, signal.SIGSTOP)  # the keeper would end in order when its parent dies
    kill(keeper)
    apache.kill()
    os.rename(apache.database, old)
    os.rename(backup, apache.database)
    apache.start()
    kept, = wait_until(lambda: glob.glob(f"{apache.database}-wal.*"), 20, "log that is kept")
    apache.client.say("x", "new")
    listed = apache.client.get(messages_path("x")).json["messages"]
    assert [(m["text"], m["id"]) for m in listed] == [("new", 32), ("kept", 1)]
    os.rename(kept, f"{old}-wal")
    assert texts_of(old) == ["kept", *(f"lost {n}" for n in range(30))]


def test_backup_and_restore_under_posts(servers, figure):
    """The documented commands, while 50 posts a second go on."""
    apache = servers.apache(lambda a: chat_site(a.database, "none", SecretKey="0123456789abcdef"))
    apache.error_log.allow(FAULTS, WARNINGS)
    apache.client.say("a", "first")
    fill(apache.database, scaled(20000, 1000000))
    senders = Senders(apache.port, ["a"], count=4, pause=0.08, repeating=4)
    wait_until(lambda: senders.total >= 20, 20, "posts")
    backup = apache.database.with_name("backup.db")
    seconds = back_up(apache.database, backup)
    assert backup.stat().st_mode & 0o777 == 0o600
    during = senders.total
    wait_until(lambda: senders.total >= during + 20, 20, "posts after the backup")
    kept = texts_of(backup)
    given = max(max(texts.values()) for texts in senders.acknowledged.values())
    answer = run_as_owner(f"sqlite3 -cmd '.timeout 10000' {shlex.quote(str(apache.database))}"
                          f" '.restore {backup}'")
    assert answer.returncode == 0, answer.stderr
    after = senders.total
    wait_until(lambda: senders.total >= after + 20, 30, "posts after the restore")
    senders.stop()
    rows = stored(apache.database)["a"]
    texts = [text for _, _, text in rows]
    assert texts[:len(kept)] == kept
    new = rows[len(kept):]
    assert new and all(number > given for _, number, _ in new), (given, new[:3])
    assert base_of(apache.database) > len(kept)
    assert not senders.given_up
    apache.terminate()
    apache.process.wait(20)
    assert texts_of(apache.database) == texts
    figure(f"VACUUM INTO of {len(kept):,} messages took {seconds:.1f} s; after .restore "
           f"{len(new)} messages more, with ids above {given:,}")
