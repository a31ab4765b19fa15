"""Keeps account of what a test started, and ends it in reverse order whatever happens."""

from .fake_origin import FakeOrigin
from .httpd import Apache
from .load_client import LoadClient
from .lossy_proxy import LossyProxy
from .publish_listener import PublishListener
from .pushpin import Pushpin
from .slow_proxy import SlowProxy
from .sse import EventSource

# For the report of a failed test: what still runs then.
running_apaches = []


class Servers:
    def __init__(self):
        self._started = []

    def keep(self, server, end):
        """Returns the server, and calls `end` with it when the test is over."""
        self._started.append((server, end))
        return server

    def apache(self, site, **options):
        """Starts an Apache; `site` is a text or a function of the Apache that makes one."""
        server = Apache(site, **options)
        self.keep(server, self._end_apache)
        running_apaches.append(server)
        return server.start()

    @staticmethod
    def _end_apache(server):
        if server in running_apaches:
            running_apaches.remove(server)
        server.stop()

    def pushpin(self, origin_port, **options):
        server = self.keep(Pushpin(origin_port, **options), Pushpin.stop)
        return server.start()

    def listener(self, **options):
        return self.keep(PublishListener(**options), PublishListener.stop).start()

    def fake_origin(self, *streams, **options):
        return self.keep(FakeOrigin(*streams, **options), FakeOrigin.stop).start()

    def slow_proxy(self, target_port, delay):
        return self.keep(SlowProxy(target_port, delay), SlowProxy.stop).start()

    def lossy_proxy(self, target_port):
        return self.keep(LossyProxy(target_port), LossyProxy.stop).start()

    def load(self, origin_port, proxy_port=None, **options):
        """A crowd that posts and reads; it ends with the test."""
        client = LoadClient(origin_port, proxy_port)
        return self.keep(client, LoadClient.close).start(**options)

    def event_source(self, port, path, kind=EventSource, **options):
        """Opens a stream; `kind` is EventSource or a class made from it."""
        return self.keep(kind(port, path, **options), EventSource.close)

    def end(self):
        problems = []
        while self._started:
            server, end = self._started.pop()
            try:
                end(server)
            except AssertionError as problem:
                problems.append(str(problem))
        assert not problems, "\n".join(problems)
