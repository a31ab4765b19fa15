"""The Apache that is measured: chat, yardstick and static files in one, configured as in earnest."""

import os
import re
import subprocess

from harness import paths
from harness.certificate import make_certificate
from harness.httpd import Apache
from harness.processes import wait_until
from harness.sites import chat_site

# MPM, children, threads of each. A child of event whose threads are all busy closes kept connections,
# so each has more threads than there are connections: they may all be with one.
PROCESSES = {
    "one child": ("event", 1, 128),
    "one large child": ("event", 1, 300),
    "two children": ("event", 2, 64),
    "four children": ("event", 4, 128),
    "prefork": ("prefork", 64, 1),
}


def _processes(children, threads):
    if threads == 1:
        # Some more may be started while all have a connection.
        return (f"ServerLimit {children + 16}\nStartServers {children}\nMinSpareServers 1\n"
                f"MaxSpareServers {children + 16}\nMaxRequestWorkers {children + 16}\n")
    total = children * threads
    return (f"ServerLimit {children}\nThreadLimit {threads}\nStartServers {children}\n"
            f"ThreadsPerChild {threads}\nMinSpareThreads 1\nMaxSpareThreads {total}\n"
            f"MaxRequestWorkers {total}\n")


def tls_host(apache, port):
    """A virtual host with HTTP/2 and TLS, of the main server's sites."""
    modules = paths.apache_modules_dir()
    certificate, key = make_certificate(apache.directory)
    return "\n".join([
        f'LoadModule ssl_module "{modules}/mod_ssl.so"',
        f'LoadModule http2_module "{modules}/mod_http2.so"', f"Listen 127.0.0.1:{port}",
        f"<VirtualHost 127.0.0.1:{port}>", "    SSLEngine On", "    Protocols h2 http/1.1",
        f'    SSLCertificateFile "{certificate}"', f'    SSLCertificateKeyFile "{key}"',
        "</VirtualHost>\n"])


class BenchApache(Apache):
    """`processes` is a key of PROCESSES; `database` a file made before, else an empty one."""

    def __init__(self, processes="one child", grip_urls=(), fill=None, **directives):
        mpm, children, threads = PROCESSES[processes]
        self._layout = _processes(children, threads)
        self._grip_urls = grip_urls
        self._directives = directives
        super().__init__(self._site, mpm=mpm, log_level="warn")
        self._journal = None
        self.static = self.directory / "static"
        self.static.mkdir()
        if fill is not None:
            fill(self.database)
            owner = os.stat(self.database.parent)
            os.chown(self.database, owner.st_uid, owner.st_gid)

    def start(self):
        """And the journal that bench-journal's posts go to."""
        owner = os.stat(self.database.parent)
        self._journal = subprocess.Popen(
            [paths.module_path().parents[1] / "tests/bench/bench_journal", self._journal_socket(),
             self.directory / "journal"], stdin=subprocess.PIPE)
        wait_until(self._journal_socket().exists, 10, "bench_journal's socket")
        os.chown(self._journal_socket(), owner.st_uid, owner.st_gid)
        return super().start()

    def stop(self, *arguments, **options):
        try:
            return super().stop(*arguments, **options)
        finally:
            if self._journal:
                self._journal.communicate(timeout=10)
                self._journal = None

    def _journal_socket(self):
        return self.directory / "journal.sock"

    def _write_config(self, site):
        """That of ./dev run without its log of each request, and with other processes."""
        super()._write_config(site)
        text, found = re.subn(r"(?m)^CustomLog .*\n", "", self._config.read_text())
        assert found == 1, "conf/dev/httpd.conf.in has no single CustomLog"
        self._config.write_text(text)

    def _site(self, apache):
        yardstick = paths.module_path().parents[1] / "tests/modules/.libs/mod_bench_yardstick.so"
        return (self._layout +
                "KeepAliveTimeout 60\nMaxKeepAliveRequests 0\nEnableSendfile On\n"
                f'LoadModule bench_yardstick_module "{yardstick}"\n'
                f'BenchJournal "{self._journal_socket()}"\n'
                f'DocumentRoot "{apache.directory}/static"\n'
                f'<Directory "{apache.directory}/static">\n'
                "    AllowOverride None\n    Require all granted\n</Directory>\n"
                '<Location "/yardstick">\n    SetHandler bench-yardstick\n'
                "    Require all granted\n</Location>\n"
                '<Location "/journal">\n    SetHandler bench-journal\n'
                "    Require all granted\n</Location>\n"
                '<Location "/ceiling">\n    Require all granted\n</Location>\n' +
                chat_site(self.database, *self._grip_urls, **self._directives))

    def static_file(self, content):
        """The path of a file with these bytes."""
        name = f"file-{len(content)}.json"
        file = self.static / name
        file.write_bytes(content)
        file.chmod(0o644)
        return "/" + name
