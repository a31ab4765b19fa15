"""A stream of events on a connection of its own, of which a test sees each byte."""

import socket
import struct
import time


class RawStream:
    """Sends the request when it is made. `wrap` may make another socket of the connected one."""

    def __init__(self, port, path, *lines, version="1.1", receive_buffer=None, wrap=None,
                 source=None):
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            connection.bind((source, 0))
        connection.settimeout(20)
        connection.connect(("127.0.0.1", port))
        self.socket = wrap(connection) if wrap else connection
        head = [f"GET {path} HTTP/{version}", "Host: localhost", *lines]
        self.socket.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        self.bytes = b""

    def read_until(self, mark, timeout=30):
        end = time.monotonic() + timeout
        while mark not in self.bytes:
            assert time.monotonic() < end, f"within {timeout} s: no {mark}: {self.bytes[-300:]}"
            data = self.socket.recv(65536)
            assert data, f"the stream ended without {mark}: {self.bytes[-300:]}"
            self.bytes += data
        return self

    def read_all(self):
        while data := self.socket.recv(65536):
            self.bytes += data
        return self

    @property
    def head(self):
        return self.bytes.partition(b"\r\n\r\n")[0].decode()

    @property
    def body(self):
        return self.bytes.partition(b"\r\n\r\n")[2]

    def close(self):
        self.socket.close()


def reset(stream):
    """Leaves with a reset instead of an orderly end."""
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.socket.close()
