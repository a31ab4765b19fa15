"""Centrifugo as a server of event streams: its one-way streams of events, and its publishing over HTTP."""

import json

from bench.bench_peer import Peer
from harness import paths

_CONFIG = {
    "log": {"level": "warn"},
    # Readers come without a token, as they do to the others, and name the channel themselves.
    "client": {
        "allow_anonymous_connect_without_token": True,
        # For each reader, in bytes: longer than one can be behind.
        "queue_max_size": 64 * 1024 * 1024,
    },
    # No history: it would only take time here.
    "channel": {"without_namespace": {"allow_subscribe_for_client": True,
                                      "allow_subscribe_for_anonymous": True}},
    "uni_sse": {"enabled": True},
    # The others look at no key either.
    "http_api": {"insecure": True},
    # It would send figures to its makers.
    "usage_stats": {"disabled": True},
}


class Centrifugo(Peer):
    """One process, with as many threads as there are processors; everything in memory."""

    name = "Centrifugo"

    def __init__(self):
        super().__init__()
        config = {**_CONFIG, "http_server": {"address": "127.0.0.1", "port": str(self.port)}}
        (self.directory / "config.json").write_text(json.dumps(config))

    def words(self):
        return [paths.centrifugo(), "--config", str(self.directory / "config.json")]
