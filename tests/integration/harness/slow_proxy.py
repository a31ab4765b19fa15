"""A TCP relay that holds back what the origin answers, to widen the windows of races."""

import socket
import threading
import time

from .processes import free_port


class SlowProxy:
    """Each piece of an answer waits `delay` seconds."""

    def __init__(self, target_port, delay):
        self.port = free_port()
        self.delay = delay
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
            for source, sink, delay in ((client, origin, 0), (origin, client, self.delay)):
                threading.Thread(target=_relay, args=(source, sink, delay), daemon=True).start()


def _relay(source, sink, delay):
    try:
        while data := source.recv(65536):
            time.sleep(delay)
            sink.sendall(data)
    except OSError:
        pass
    for end, how in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
        try:
            end.shutdown(how)
        except OSError:
            pass
