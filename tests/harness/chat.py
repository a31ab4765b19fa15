"""An Apache and a Pushpin in front of it, each knowing the other's port."""

from .client import events_path
from .sites import chat_site


class Chat:
    """`origin_delay` puts a slow relay between Pushpin and Apache, `environment` and `apache_lines`
    are added to Apache's, `prepare` is called with it before it starts, and the rest are directives
    of ours."""

    def __init__(self, servers, origin_delay=None, environment=None, apache_lines="", prepare=None,
                 **directives):
        self._servers = servers
        self._origin_delay = origin_delay
        self._apache_lines = apache_lines
        self._prepare = prepare or (lambda apache: None)
        self.pushpin = None
        # Apache's configuration names Pushpin's publish port, and Pushpin's names Apache's port,
        # which is known before Apache starts.
        self.apache = servers.apache(lambda apache: self._site(apache, directives),
                                    environment=environment)

    def _site(self, apache, directives):
        self._prepare(apache)
        origin = apache.port
        if self._origin_delay is not None:
            origin = self._servers.slow_proxy(apache.port, self._origin_delay).port
        self.pushpin = self._servers.pushpin(origin)
        return self._apache_lines + "\n" + chat_site(apache.database, self.pushpin.grip_url,
                                                     **directives)

    def reader(self, room, **options):
        """An EventSource on a room, through Pushpin."""
        return self._servers.event_source(self.pushpin.port, events_path(room), **options)
