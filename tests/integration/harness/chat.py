"""An Apache and a Pushpin in front of it, each knowing the other's port."""

from .client import events_path
from .sites import chat_site


class Chat:
    """`origin_delay` puts a slow relay between Pushpin and Apache; the rest are directives."""

    def __init__(self, servers, origin_delay=None, **directives):
        self._servers = servers
        self._origin_delay = origin_delay
        self.pushpin = None
        # Apache's configuration names Pushpin's publish port, and Pushpin's names Apache's port,
        # which is known before Apache starts.
        self.apache = servers.apache(lambda apache: self._site(apache, directives))

    def _site(self, apache, directives):
        origin = apache.port
        if self._origin_delay is not None:
            origin = self._servers.slow_proxy(apache.port, self._origin_delay).port
        self.pushpin = self._servers.pushpin(origin)
        return chat_site(apache.database, self.pushpin.grip_url, **directives)

    def reader(self, room, **options):
        """An EventSource on a room, through Pushpin."""
        return self._servers.event_source(self.pushpin.port, events_path(room), **options)
