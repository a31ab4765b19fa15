"""What has gone wrong outside the configuration since the start does not end a server that reloads."""

import os
import shutil

import pytest

from harness.client import messages_path
from harness.processes import wait_until
from harness.sites import chat_site


def post(apache, text):
    return apache.client.form(messages_path("x"), {"from": "al", "text": text}).status


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts Apache for another user")
@pytest.mark.parametrize("fault", ["folder-read-only", "folder-gone", "socket-folder-gone"])
@pytest.mark.parametrize("is_hard", [False, True], ids=["graceful", "hard"])
def test_a_place_that_is_lost_before_a_reload(servers, is_hard, fault):
    """A disk that was remounted read-only, for example, and logrotate at night."""
    def site(a):
        (a.directory / "run").mkdir(mode=0o755)
        return chat_site(a.database, "none", Socket=f'"{a.directory}/run/grip-chat.sock"')
    apache = servers.apache(site)
    apache.error_log.allow("GC0101", "GC0151", "GC0203", "GC0115", "GC0205", "GC0208", "GC0209")
    assert post(apache, "before") == 200
    place = apache.directory / "run" if fault == "socket-folder-gone" else apache.database.parent
    aside = place.with_name("aside")
    if fault == "folder-read-only":
        place.chmod(0o555)
    else:
        os.rename(place, aside)
    parent = apache.process.pid
    (apache.restart if is_hard else apache.graceful)()
    assert apache.process.poll() is None and apache.process.pid == parent
    assert apache.error_log.count("GC0101") == 1
    assert apache.client.request("OPTIONS", "*").status == 200
    if fault == "folder-read-only":
        place.chmod(0o755)
    else:
        shutil.rmtree(place, ignore_errors=True)
        os.rename(aside, place)
    wait_until(lambda: post(apache, "after") == 200, 30, "post that is stored")
    assert {m["text"] for m in apache.client.get(messages_path("x")).json["messages"]} == {
        "before", "after"}
