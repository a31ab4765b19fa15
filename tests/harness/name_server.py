"""A name server of the test's own, and an environment in which Apache asks it."""

import os
import random
import socket
import subprocess
import threading

NAME = "proxy.grip-chat.test"


class NameServer:
    """Answers every question for an A record with 127.0.0.1; while `is_silent`, none at all.

    `knows_name` = False makes it answer that there is no such name.
    """

    def __init__(self):
        self.is_silent = False
        self.knows_name = True
        self.questions = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # Not 127.0.0.1, where the machine may have one.
        self.address = f"127.9.{random.randrange(256)}.{random.randrange(1, 255)}"
        self._socket.bind((self.address, 53))
        self._socket.settimeout(0.1)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        self._closing.set()
        self._thread.join(5)
        self._socket.close()

    def _run(self):
        while not self._closing.is_set():
            try:
                question, sender = self._socket.recvfrom(4096)
            except TimeoutError:
                continue
            self.questions += 1
            if not self.is_silent:
                self._socket.sendto(self._answer(question), sender)

    def _answer(self, question):
        end = 12
        while question[end]:
            end += question[end] + 1
        asked = question[12:end + 5]
        is_address = asked[-4:-2] == b"\x00\x01"
        found = self.knows_name and is_address
        flags = b"\x81\x80" if self.knows_name else b"\x81\x83"
        head = question[:2] + flags + b"\x00\x01" + bytes([0, found]) + b"\x00\x00\x00\x00"
        record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04" + socket.inet_aton("127.0.0.1")
        return head + asked + (record if found else b"")


def own_mounts_are_possible():
    """Whether a process may have mounts that no other one sees."""
    return os.geteuid() == 0 and subprocess.run(
        ["unshare", "--mount", "true"], capture_output=True, timeout=10, check=False
    ).returncode == 0


def asking(server, directory):
    """Words before a command line: its resolver asks that name server, and nobody else's does."""
    for name, text in (("resolv.conf", f"nameserver {server.address}\n"),
                       ("nsswitch.conf", "hosts: files dns\n")):
        (directory / name).write_text(text)
        (directory / name).chmod(0o644)
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
            f'mount --bind {directory}/resolv.conf /etc/resolv.conf &&'
            f' mount --bind {directory}/nsswitch.conf /etc/nsswitch.conf && exec "$@"', "sh"]
