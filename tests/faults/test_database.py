"""The database is locked, full, gone, replaced or read-only: clear answers, and it heals by itself."""

import os
import shutil
import sqlite3
import subprocess
import time

import pytest

from faults.crowd import ERRORS, WARNINGS, Crowd, chat_with_faults, ms
from faults.scale import scaled
from faults.visitor import Visitor, is_clear_503
from harness import paths
from harness.client import messages_path
from harness.httpd import run_user
from harness.load import base_of, stored
from harness.processes import end, kill, wait_until
from harness.sites import Host, chat_site, vhost

DISK_BYTES = 6 * 1024 * 1024
SMALLER_THAN_A_LOG = 3 * 1024 * 1024  # a log is folded in at 4 MB


def check_refusals(crowd):
    """Posts that could not be stored were told so. Returns how many."""
    unclear = [failure for failure in crowd.senders.failures
               if isinstance(failure, str) or not is_clear_503(failure)]
    assert not unclear, unclear[:3]
    return len(crowd.senders.failures)


def wait_healed(crowd):
    """Posts are stored again; returns after how many seconds."""
    begin = time.monotonic()
    crowd.wait_posts(8, timeout=15)
    return time.monotonic() - begin


def test_database_locked(servers, figure):
    """Another process holds a write transaction."""
    chat = chat_with_faults(servers)
    crowd = Crowd.at(chat)
    crowd.run(0.5)
    holder = sqlite3.connect(chat.apache.database, isolation_level=None)
    with Visitor(chat.apache.client) as visitor:
        holder.execute("BEGIN IMMEDIATE")
        time.sleep(scaled(3, 10))
        holder.execute("ROLLBACK")
        holder.close()
        healed = wait_healed(crowd)
    outcome = crowd.settle()
    refused = check_refusals(crowd)
    assert refused and set(visitor.lists) == {200}, visitor.lists
    figure(f"{scaled(3, 10)} s; {refused} posts answered 503 with Retry-After, lists and events "
           f"all 200; stored again after {healed:.1f} s; {outcome}")


def test_database_vacuumed(servers, figure):
    """An operator's VACUUM, again and again: it takes the lock for a moment and the statements."""
    times = scaled(3, 50)
    chat = chat_with_faults(servers)
    crowd = Crowd.at(chat)
    with Visitor(chat.apache.client) as visitor:
        for _ in range(times):
            crowd.run(0.3)
            with sqlite3.connect(chat.apache.database, isolation_level=None, timeout=20) as operator:
                operator.execute("VACUUM")
            operator.close()
            crowd.wait_posts(8)
    outcome = crowd.settle()
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    assert set(visitor.lists) == {200}, visitor.lists
    figure(f"{times} times; {outcome}")


@pytest.fixture
def small_disk():
    """A function that mounts a small file system at a folder; what it mounted goes afterwards."""
    mounted = []

    def mount(folder, size=DISK_BYTES):
        if os.geteuid() != 0:
            pytest.skip("to mount a file system of a size needs root")
        owner = folder.stat()
        answer = subprocess.run(
            ["mount", "-t", "tmpfs", "-o",
             f"size={size},mode=0755,uid={owner.st_uid},gid={owner.st_gid}", "gc-disk",
             folder], capture_output=True, text=True, timeout=10, check=False)
        if answer.returncode:
            pytest.skip(f"no file system can be mounted here: {answer.stderr.strip()}")
        mounted.append(folder)
    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", folder], timeout=10, check=True)


def test_disk_full(servers, small_disk, figure):
    chat = chat_with_faults(servers, ERRORS + ".*GC0203",
                            prepare=lambda apache: small_disk(apache.database.parent))
    crowd = Crowd.at(chat)
    crowd.run(0.5)
    filler = chat.apache.database.parent / "filler"
    with Visitor(chat.apache.client) as visitor:
        fill(filler)
        wait_until(lambda: crowd.senders.failures, 20, "post that does not fit")
        time.sleep(scaled(1, 10))
        filler.unlink()
        healed = wait_healed(crowd)
    outcome = crowd.settle()
    refused = check_refusals(crowd)
    assert set(visitor.lists) == {200}, visitor.lists
    figure(f"{refused} posts answered 503 with Retry-After, lists and events all 200; stored again "
           f"{healed:.1f} s after there was space; {outcome}")


def status_lines(apache):
    """What the one child of an Apache says of itself."""
    lines = apache.client.get("/status?auto").text.splitlines()
    return dict(line.split(": ", 1) for line in lines if line.startswith("GripChat"))


def test_disk_full_of_one_site(servers, small_disk, figure):
    """What children have in memory is good, also of that site: nothing that fails so has been stored."""
    def site(apache):
        folder = apache.directory / "full"
        folder.mkdir()
        shutil.chown(folder, run_user())
        small_disk(folder)
        return (f'LoadModule status_module "{paths.apache_modules_dir()}/mod_status.so"\n'
                '<Location "/status">\nSetHandler server-status\nRequire all granted\n</Location>\n'
                "StartServers 1\nServerLimit 1\nMinSpareThreads 1\nMaxSpareThreads 25\n"
                "MaxRequestWorkers 25\n" +
                vhost(apache, "well", chat_site(apache.database, "none")) +
                vhost(apache, "full", chat_site(folder / "chat.db", "none", Site="full")))

    apache = servers.apache(site, mpm="event")
    apache.error_log.allow(ERRORS + ".*GC0203", WARNINGS)
    well, full = Host(apache.client, "well"), Host(apache.client, "full")
    well.say("x", "in memory")
    full.say("x", "fits")
    assert well.texts("x") == ["in memory"]
    fill(apache.directory / "full" / "filler")
    wait_until(lambda: full.post("x", "y" * 4000).status == 503, 20, "post that does not fit")
    assert well.texts("x") == ["in memory"]
    assert full.texts("x") == ["fits"]
    before = status_lines(apache)
    for _ in range(20):
        assert full.post("x", "y" * 60000).status == 503
        assert well.texts("x") == ["in memory"]
        assert full.texts("x") == ["fits"]
    after = status_lines(apache)
    assert after["GripChatRoomLoads"] == before["GripChatRoomLoads"]
    assert int(after["GripChatRoomHits"]) >= int(before["GripChatRoomHits"]) + 40
    figure("20 failed batches of one site; not a room of either read anew")


def test_disk_full_of_the_log(servers, small_disk, figure):
    """Nothing but the database is on the disk, and its log would fill it before SQLite folds that in."""
    def site(apache):
        folder = apache.directory / "small"
        folder.mkdir()
        shutil.chown(folder, run_user())
        small_disk(folder, SMALLER_THAN_A_LOG)
        (folder / "spare").write_bytes(b"\0" * 262144)
        return chat_site(folder / "chat.db", "none")

    apache = servers.apache(site)
    apache.error_log.allow(ERRORS + ".*GC0203", WARNINGS)
    host = Host(apache.client, "localhost")
    folder = apache.directory / "small"
    kept = 0
    while host.post("x", "y" * 4000).status == 200:
        kept += 4000
        assert apache.client.get(messages_path("x")).status == 200
    assert kept > SMALLER_THAN_A_LOG / 2
    (folder / "spare").unlink()
    wait_until(lambda: host.post("x", "once there is space").status == 200, 20, "post")
    with sqlite3.connect(folder / "chat.db", timeout=20) as operator:
        operator.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        operator.execute("DELETE FROM grip_chat_message WHERE id < 20")
    operator.close()
    fill(folder / "filler")
    # What was deleted is space in the file, once the log that says so is folded into it.
    wait_until(lambda: host.post("x", "y" * 4000).status == 200, 20, "post in the place of others")
    figure(f"{kept >> 10} KB of texts fit on a disk of {SMALLER_THAN_A_LOG >> 10} KB; posts go on as soon as "
           "there is space in the file")


def fill(path):
    """Takes all that is left, to the last byte."""
    with open(path, "wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                pass


def test_database_read_only(servers, figure):
    """File and folder lose their write permission, and the keeper is started anew meanwhile."""
    chat = chat_with_faults(servers, ERRORS + ".*GC0203")
    database = chat.apache.database
    crowd = Crowd.at(chat)
    crowd.run(0.5)
    with Visitor(chat.apache.client) as visitor:
        database.chmod(0o400)
        database.parent.chmod(0o555)
        crowd.run(0.3)
        kill(chat.apache.keeper())
        wait_until(lambda: crowd.senders.failures, 20, "post that is refused")
        time.sleep(scaled(1, 10))
        database.parent.chmod(0o755)
        database.chmod(0o600)
        healed = wait_healed(crowd)
    outcome = crowd.settle()
    refused = check_refusals(crowd)
    assert set(visitor.lists) == {200}, visitor.lists
    figure(f"{refused} posts answered 503 with Retry-After, lists and events all 200; stored again "
           f"after {healed:.1f} s; {outcome}")


class Replaced:
    """What of a crowd's posts is where, when the file under it was taken away.

    Second names keep the old file and its log, to look into afterwards.
    """

    def __init__(self, apache):
        self.database = apache.database
        self.kept = apache.directory / "db" / "kept.db"
        for suffix in ("", "-wal"):
            os.link(f"{self.database}{suffix}", f"{self.kept}{suffix}")

    def check(self, crowd):
        """Each acknowledged post is in the old file or in the new, and readers have the new."""
        crowd.senders.stop()
        new = stored(self.database)
        old = stored(self.kept)
        for room, texts in crowd.senders.acknowledged.items():
            there = {(number, text) for _, number, text in old[room] + new[room]}
            lost = {(number, text) for text, number in texts.items()} - there
            assert not lost, f"{room}: acknowledged, and in neither file: {sorted(lost)[:5]}"
        due = [(follower, new[room])
               for room, group in crowd.followers.items() for follower in group]
        begin, base = time.monotonic(), base_of(self.database)
        for follower, rows in due:
            # It may be that nothing was said in its room since.
            wait_until(lambda f=follower: f.resets or f.failed, 15,
                       f"reset of {follower.path}; {follower.describe()}")
            follower.wait_position(base + len(rows), 15)
            follower.check(rows, base)
        whole = time.monotonic() - begin
        return (f"{crowd.total:,} posts acknowledged, each in the old or the new file; "
                f"{len(due)} readers reset, and whole {whole:.1f} s after the last post")


@pytest.mark.parametrize("also", ["", "-shm"])
def test_database_log_deleted(servers, figure, also):
    """SQLite goes on writing into a log without a name, and all in it is lost with its last user."""
    chat = chat_with_faults(servers, ERRORS + ".*GC0(151|162|164|203)")
    crowd = Crowd.at(chat)
    crowd.run(0.5)
    for _ in range(scaled(2, 20)):
        for suffix in {"-wal", also or "-wal"}:
            os.unlink(f"{chat.apache.database}{suffix}")
        wait_healed(crowd)
        crowd.run(0.3)
        kill(chat.apache.keeper())
        wait_healed(crowd)
    refused = check_refusals(crowd)
    figure(f"{refused} posts answered 503; {crowd.settle()}")


def test_database_replaced_while_it_could_not_be_used(servers):
    """Somebody breaks it, and puts another file there while the keeper has none open."""
    chat = chat_with_faults(servers, ERRORS + ".*GC0(151|162|164|203)")
    chat.apache.client.say("x", "before")
    with sqlite3.connect(chat.apache.database) as connection:
        connection.execute("ALTER TABLE grip_chat_message RENAME TO broken")
    connection.close()
    answer = chat.apache.client.form(messages_path("x"), {"from": "al", "text": "lost"})
    assert answer.status == 503 and answer.header("Retry-After")
    for suffix in ("", "-wal", "-shm"):
        chat.apache.database.with_name(chat.apache.database.name + suffix).unlink(missing_ok=True)
    chat.apache.client.say("x", "in a new file")
    # Next links are signed with the secret, which the new file has to have as well.
    base = base_of(chat.apache.database)
    assert base > 1
    late = chat.reader("x", last_event_id="room-x:1", patient=True)
    reader = chat.reader("x", last_event_id=f"room-x:{base}", patient=True)
    assert late.wait_kind("stream-reset")[0].id == f"room-x:{base + 1}"
    reader.wait_messages(1)
    assert reader.texts == ["in a new file"]
    chat.apache.client.say("x", "live")
    reader.wait_messages(2)
    listed = chat.apache.client.get(messages_path("x")).json
    assert [m["text"] for m in listed["messages"]] == ["live", "in a new file"]


def test_backup_restored_while_apache_was_down(servers):
    """Readers who come back when their room has more than it ever had are told, too."""
    chat = chat_with_faults(servers, SecretKey="0123456789abcdef")
    apache, backup = chat.apache, chat.apache.directory / "backup.db"
    apache.client.say("x", "kept")
    with sqlite3.connect(apache.database) as source, sqlite3.connect(backup) as target:
        source.backup(target)
    source.close()
    target.close()
    for i in range(3):
        apache.client.say("x", f"lost {i}")
    reader = chat.reader("x", patient=True)
    reader.wait_open()
    end(apache.process, timeout=15)
    for suffix in ("-wal", "-shm"):
        apache.database.with_name(apache.database.name + suffix).unlink(missing_ok=True)
    apache.database.write_bytes(backup.read_bytes())
    reader.drop()
    apache.start()
    for i in range(9):
        apache.client.say("x", f"new {i}")
    def position():
        return int(reader.of_kind("stream-reset")[-1].id.rpartition(":")[2])
    reader.wait_kind("stream-reset", timeout=30)
    listed = apache.client.get(messages_path("x")).json
    assert [m["text"] for m in listed["messages"]] == [
        *(f"new {i}" for i in range(8, -1, -1)), "kept"]
    # One above the four positions of before lies what was kept. A child that reads the file before the keeper
    # has moved it there tells a position of the backup, and then this one.
    assert listed["last-event-id"] == "room-x:15"
    wait_until(lambda: position() > 5, 30, "reset to a position beyond those of before")


@pytest.mark.parametrize("how", ["copy", "deleted", "deleted-with-secret"])
def test_database_replaced(servers, figure, how):
    """Replaced by a copy of some time ago, or deleted; the last with the site's own secret, so that
    next links turn void, and readers may come back when their room has more than it had."""
    before, after = (1, scaled(3, 25)) if how == "deleted-with-secret" else scaled((3, 1), (10, 10))
    chat = chat_with_faults(
        servers, ERRORS + ".*GC0(151|162|164|203)",
        SecretKey=None if how == "deleted-with-secret" else "0123456789abcdef")
    crowd = Crowd.at(chat)
    crowd.run(0.5)
    replaced = Replaced(chat.apache)
    copy = chat.apache.directory / "db" / "copy.db"
    if how == "copy":
        with sqlite3.connect(chat.apache.database) as source, sqlite3.connect(copy) as target:
            source.backup(target)
        source.close()
        target.close()
        shutil.chown(copy, run_user(), run_user())
        copy.chmod(0o600)
    crowd.run(before)
    with Visitor(chat.apache.client) as visitor:
        if how == "copy":
            os.replace(copy, chat.apache.database)
        else:
            os.remove(chat.apache.database)
        healed = wait_healed(crowd)
        crowd.run(after)
    outcome = replaced.check(crowd)
    refused = check_refusals(crowd)
    figure(f"{refused} posts answered 503, {visitor.lists[503]} of {sum(visitor.lists.values())} "
           f"lists; stored again after {ms(healed)}; {outcome}")
