"""GripChatSocket: nothing that is there is deleted, and two servers do not share one."""

import os
import pwd
import re
import socket
import subprocess

import pytest

from harness.httpd import Apache, run_user
from harness.processes import wait_until
from harness.sites import chat_site

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts Apache for another user")


def refused(prepare):
    """configtest with the GripChatSocket that `prepare` makes of an Apache's directory."""
    apache = Apache(lambda a: chat_site(a.database, "none",
                                        Socket=f'"{prepare(a.directory)}"'))
    try:
        status, output = apache.configtest()
    finally:
        apache.stop()
    assert status > 0 and "GripChatSocket" in output and "Syntax OK" not in output, output
    return output


def takes_connections(path):
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return False
        return True


@pytest.mark.parametrize("kind", ["file", "folder", "link to a file", "link to nothing"])
def test_what_is_no_socket_is_refused_and_still_there(kind):
    found = {}

    def prepare(directory):
        path = directory / "grip-chat.sock"
        if kind == "file":
            path.write_text("precious\n")
        elif kind == "folder":
            path.mkdir()
        else:
            target = directory / "target"
            if kind == "link to a file":
                target.write_text("precious\n")
            path.symlink_to(target)
        found["path"] = path
        return path
    apache = Apache(lambda a: chat_site(a.database, "none", Socket=f'"{prepare(a.directory)}"'))
    try:
        status, output = apache.configtest()
        assert status > 0 and "GripChatSocket" in output and str(found["path"]) in output, output
        with pytest.raises(AssertionError, match="did not start"):
            apache.start()
        apache.error_log.allow(r"\[grip_chat:\w+\].*GripChatSocket", r"AH00014|AH00016|AH00020")
        assert os.path.lexists(found["path"])
        assert kind != "file" or found["path"].read_text() == "precious\n"
    finally:
        apache.stop()


@AS_ROOT
@pytest.mark.parametrize("is_deep", [False, True])
def test_a_folder_that_the_children_cannot_enter_is_refused(is_deep):
    def prepare(directory):
        folder = directory / "closed"
        folder.mkdir(mode=0o700)
        if is_deep:
            (folder / "open").mkdir(mode=0o755)
            folder = folder / "open"
        return folder / "socket"
    output = refused(prepare)
    assert "www-data" in output and "closed" in output


def test_a_second_server_on_one_socket_does_not_start_and_the_first_goes_on(servers):
    def site(path):
        return lambda a: chat_site(a.database, "none", Socket=f'"{path}"')
    first = servers.apache(lambda a: site(a.directory / "chat.sock")(a))
    path = first.directory / "chat.sock"
    first.client.say("x", "before")
    second = Apache(site(path))
    try:
        with pytest.raises(AssertionError, match="did not start"):
            second.start()
        second.error_log.allow(r"\[grip_chat:crit\].*GC0115", r"AH00020")
        assert re.search(f"GC0115.*{path}", second.output()), second.output()
    finally:
        second.stop()
    assert path.is_socket()
    for number in range(20):
        first.client.say("x", str(number))
    first.restart()
    first.client.say("x", "after a restart")
    assert len(first.client.get("/rooms/x/messages/").json["messages"]) == 22


def test_the_socket_of_a_server_that_was_killed_is_no_obstacle(servers):
    apache = servers.apache(
        lambda a: chat_site(a.database, "none", Socket=f'"{a.directory}/chat.sock"'))
    path = apache.directory / "chat.sock"
    apache.client.say("x", "before")
    apache.kill()
    assert path.is_socket()
    # The killed children may take a moment to end.
    wait_until(lambda: not takes_connections(path), 5, "end of who listened")
    apache.error_log.allow("AH00098")  # the pid file of who was killed
    apache.start()
    apache.client.say("x", "after")
    apache.stop()
    assert not path.exists()


def left_socket(path, listens=False):
    """A socket as a server leaves it, of the run user; with `listens` somebody still answers there."""
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    if os.geteuid() == 0:
        os.chown(path, pwd.getpwnam(run_user()).pw_uid, -1)
    if listens:
        made.listen()
        return made
    made.close()
    return None


def gone_process():
    """The number of a process that is gone."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_the_next_start_removes_what_killed_servers_left_and_nothing_else(servers):
    apache = servers.apache(lambda a: chat_site(a.database, "none"))
    first = apache.directory / f"grip-chat.{apache.process.pid}.sock"
    apache.kill()
    assert first.is_socket()
    wait_until(lambda: not takes_connections(first), 5, "end of who listened")
    kept = [apache.directory / f"grip-chat.{name}.sock"
            for name in (os.getpid(), gone_process(), gone_process(), "name", 1)]
    left_socket(kept[0])
    listener = left_socket(kept[1], listens=True)
    kept[2].write_text("precious\n")
    left_socket(kept[3])
    left_socket(kept[4])
    gone = apache.directory / f"grip-chat.{gone_process()}.sock"
    left_socket(gone)
    apache.error_log.allow("AH00098")  # the pid file of who was killed
    apache.start()
    apache.client.say("x", "after")
    assert not first.exists() and not gone.exists()
    assert [path for path in kept if not os.path.lexists(path)] == []
    assert apache.error_log.count("GC0136") == 2
    listener.close()
