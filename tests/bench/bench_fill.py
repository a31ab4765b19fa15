"""Makes databases with direct SQL, in the schema of mod_grip_chat/chat/chat_sql.c."""

import re
import sqlite3
import time

from harness import paths


def _schema():
    """The statements of the module's own source, so that they are never another's."""
    source = (paths.ROOT / "mod_grip_chat/chat/chat_sql.c").read_text()
    key_table = re.search(r"#define SQLITE3_KEY_TABLE(.*?)\n\n", source, re.S).group(1)
    body = re.search(r"sqlite3_schema\[\] = \{(.*?)\n\};", source, re.S).group(1)
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S).replace("SQLITE3_KEY_TABLE", key_table)
    statements = []
    for part in body.split(",\n"):
        text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', part))
        if text:
            statements.append(text)
    assert len(statements) == 4, statements
    return statements


def with_rooms(rooms, each):
    """A function that fills a database: rooms r1, r2 … with `each` messages of 61 bytes.

    The messages of a room lie apart, as they do where rooms are busy at the same time."""
    def fill(database):
        with sqlite3.connect(database, isolation_level=None) as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=OFF")
            db.execute("PRAGMA cache_size=-1000000")
            for statement in _schema():
                db.execute(statement)
            db.execute("BEGIN")
            db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                       " INSERT INTO grip_chat_room (site, name, last_event_id)"
                       " SELECT '', 'r' || i, ? FROM n", (rooms, each))
            db.execute("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                       " INSERT INTO grip_chat_message"
                       " (room_id, event_id, sender, body, created_ms, job_key)"
                       " SELECT i % ? + 1, i / ? + 1, 'al',"
                       " printf('a text of nearly sixty bytes, as people write, number %07d', i), ? + i,"
                       " printf('%032x', i) FROM n",
                       (rooms * each - 1, rooms, rooms, int(time.time() * 1000) - rooms * each))
            db.execute("COMMIT")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
    return fill


class BareCommits:
    """One message into one table in one transaction, as durable as the keeper's."""

    def __init__(self, file):
        self._db = sqlite3.connect(file, isolation_level=None)
        assert self._db.execute("PRAGMA journal_mode=WAL").fetchone() == ("wal",)
        self._db.execute("PRAGMA synchronous=FULL")
        for statement in _schema():
            self._db.execute(statement)
        self._db.execute("INSERT INTO grip_chat_room (site, name, last_event_id) VALUES ('', 'r', 0)")
        self._count = 0

    def run(self, seconds):
        """The median time of a commit, in ms."""
        times = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._count += 1
            begin = time.monotonic()
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("UPDATE grip_chat_room SET last_event_id = ?", (self._count,))
            self._db.execute("INSERT INTO grip_chat_message"
                             " (room_id, event_id, sender, body, created_ms, job_key)"
                             " VALUES (1, ?, 'al',"
                             " 'a text of nearly sixty bytes, as people write, number 1000000', 1, ?)",
                             (self._count, f"{self._count:032x}"))
            self._db.execute("COMMIT")
            times.append((time.monotonic() - begin) * 1e3)
        times.sort()
        return {"p50": times[len(times) // 2]}

    def close(self):
        self._db.close()
