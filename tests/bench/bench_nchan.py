"""nginx with nchan as a server of event streams, on the paths of the chat."""

import pathlib
import pwd

from bench.bench_peer import Peer
from harness import paths
from harness.httpd import run_user

_MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_nchan_module.so")

# As many workers as Apache has children; each has a listener of its own, so that both get their share of
# the readers. Messages stay in memory, longer than a reader can be behind.
_CONFIG = """\
load_module {module};
daemon off;
user {user};
worker_processes 2;
worker_rlimit_nofile {files};
pid {directory}/nginx.pid;
error_log {directory}/error.log warn;
events {{ worker_connections {files}; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    keepalive_requests 1000000;
    nchan_shared_memory_size 256M;
    server {{
        listen 127.0.0.1:{port} reuseport;
        location ~ ^/rooms/([^/]+)/messages/$ {{
            nchan_publisher http;
            nchan_channel_id $1;
            nchan_message_buffer_length 100000;
            nchan_message_timeout 60s;
        }}
        location ~ ^/rooms/([^/]+)/events/$ {{
            nchan_subscriber eventsource;
            nchan_channel_id $1;
            nchan_subscriber_first_message newest;
            nchan_subscribe_existing_channels_only off;
        }}
    }}
}}
"""


class Nchan(Peer):
    """Reads nothing below /etc."""

    name = "nchan"
    processes = 3

    def __init__(self, files):
        if not _MODULE.exists():
            raise SystemExit("bench: nchan is not installed (libnginx-mod-nchan); ./dev bench installs it")
        super().__init__()
        (self.directory / "nginx.conf").write_text(_CONFIG.format(
            module=_MODULE, user=pwd.getpwnam(run_user()).pw_name, directory=self.directory,
            port=self.port, files=files))

    def words(self):
        return [paths.program("nginx"), "-p", str(self.directory),
                "-e", str(self.directory / "error.log"), "-c", str(self.directory / "nginx.conf")]
