"""A TCP relay; what it does to the bytes is a matter of the classes that extend it."""

import socket
import threading

from .ports import free_port


class Relay:
    def __init__(self, target_port):
        self.port = free_port()
        self._target_port = target_port
        self._listener = None

    def start(self):
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def stop(self):
        if self._listener:
            # A close alone does not wake the thread that waits in accept.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _passers(self):
        """Two functions for a new connection, for its requests and its answers.

        Each takes bytes as they come and returns what goes on; an OSError cuts the connection.
        """
        raise NotImplementedError

    def _accept(self):
        listener = self._listener
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                origin = socket.create_connection(("127.0.0.1", self._target_port), 10)
            except OSError:
                client.close()
                continue
            origin.settimeout(None)
            requests, answers = self._passers()
            for source, sink, passer in ((client, origin, requests), (origin, client, answers)):
                threading.Thread(target=_relay, args=(source, sink, passer), daemon=True).start()


def _relay(source, sink, passer):
    try:
        while data := source.recv(65536):
            sink.sendall(passer(data))
    except OSError:
        pass
    for end, how in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
        try:
            end.shutdown(how)
        except OSError:
            pass
