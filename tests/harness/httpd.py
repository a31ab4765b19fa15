"""A real Apache with the module, in a directory of its own, on a free port of loopback."""

import grp
import os
import pwd
import shutil
import signal
import subprocess
import time

from . import paths, templates
from .client import Client, ToldClient
from .error_log import ErrorLog, without_keys
from .ports import free_port
from .processes import (children_of, end, kill, kill_session, remove_directory, run_directory,
                        spawn, wait_until)

MPM = os.environ.get("GRIP_CHAT_MPM", "event")
_STARTED = r"resuming normal operations"


def run_user():
    return "www-data" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def _preload():
    """GRIP_CHAT_PRELOAD names the runtime of a sanitizer that the module was built with: Apache itself,
    which was not, has to load it first."""
    library = os.environ.get("GRIP_CHAT_PRELOAD")
    return {"LD_PRELOAD": library} if library else {}


def _let_connections_end():
    """A worker of event that ends a connection in the moment of a stop or a restart can crash
    httpd's own close_worker_sockets(); seen in plain httpd 2.4.71 without any other module."""
    time.sleep(0.1)


class Apache:
    """Starts with the text of a site, or with what a function makes of this object."""

    def __init__(self, site, mpm=MPM, log_level="info", environment=None, told=None):
        self.directory = run_directory()
        self.port = free_port()
        self.mpm = mpm
        self.log_level = log_level
        self.environment = dict(os.environ, **_preload(), **(environment or {}))
        self._told = told
        self.database = self.directory / "db" / "chat.db"
        self.module = paths.module_path()
        self.error_log = ErrorLog(self.directory / "error.log")
        self.process = None
        self._config = self.directory / "httpd.conf"
        self._before_command = []
        self._make_database_directory()
        self._write_config(site(self) if callable(site) else site)

    # -- configuration -------------------------------------------------------------------------

    def _make_database_directory(self):
        (self.directory / "empty").mkdir()
        self.database.parent.mkdir()
        if os.geteuid() == 0:
            user = pwd.getpwnam(run_user())
            os.chown(self.database.parent, user.pw_uid, user.pw_gid)

    def _write_config(self, site):
        (self.directory / "site.conf").write_text(site)
        gid = pwd.getpwnam(run_user()).pw_gid
        self._config.write_text(templates.fill("httpd.conf.in", {
            "RUN_DIR": self.directory, "ORIGIN_PORT": self.port, "MPM": self.mpm,
            "MODULES_DIR": paths.apache_modules_dir(), "MODULE": self.module,
            "RUN_USER": run_user(), "RUN_GROUP": grp.getgrgid(gid).gr_name,
            "LOG_LEVEL": self.log_level}))

    def page_site(self, grip_url):
        """The site of `./dev run`, page included; a copy, for the run user cannot enter a home."""
        htdocs = self.directory / "htdocs"
        if not htdocs.exists():
            shutil.copytree(paths.HTDOCS, htdocs)
            # Whatever the umask of the clone: the run user reads it.
            for entry in [htdocs, *htdocs.rglob("*")]:
                entry.chmod(0o755 if entry.is_dir() else 0o644)
        return templates.fill("site.conf.in", {"DATABASE": self.database, "HTDOCS": htdocs,
                                               "PAGE_CONF": paths.PAGE_CONF, "GRIP_URL": grip_url})

    def configure(self, site):
        """Another site text, from the next restart on."""
        self._write_config(site)

    def configtest(self):
        """What `apache2 -t` says: its exit status and its output."""
        answer = subprocess.run([paths.program("apache2"), "-t", "-f", self._config],
                                stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=30, env=self.environment, check=False)
        return answer.returncode, answer.stdout + answer.stderr

    def wrap(self, words):
        """Starts it, from the next time on, by a program that ends in an exec of its command."""
        self._before_command = words

    # -- life ----------------------------------------------------------------------------------

    def start(self):
        self.process = spawn([*self._before_command, paths.program("apache2"), "-DFOREGROUND",
                              "-f", str(self._config)],
                             self.directory / "output.log", self.environment)
        wait_until(self._is_up_or_gone, 20, "answer of Apache")
        if self.process.poll() is not None:
            raise AssertionError("Apache did not start:\n" + self.output())
        return self

    def _is_up_or_gone(self):
        if self.process.poll() is not None:
            return True
        try:
            return Client(self.port, timeout=5).request("OPTIONS", "*").status
        except OSError:
            return False

    def output(self):
        """What it wrote before it had a log, and then the log."""
        early = self.directory / "output.log"
        return (early.read_text(errors="replace") if early.exists() else "") + self.error_log.tail()

    def graceful(self, timeout=15):
        """Sends SIGUSR1 and waits until the new generation runs; old children may live on."""
        self._signal_and_wait(signal.SIGUSR1, timeout)

    def restart(self, timeout=15):
        """Sends SIGHUP: connections are cut."""
        # A worker of event may find its socket closed by httpd's own close_worker_sockets().
        self.error_log.allow(r"\(9\)Bad file descriptor: AH03093")
        _let_connections_end()
        self._signal_and_wait(signal.SIGHUP, timeout)

    def terminate(self):
        """Sends SIGTERM, and does not wait."""
        _let_connections_end()
        kill(self.process.pid, signal.SIGTERM)

    def _signal_and_wait(self, number, timeout):
        before = self.error_log.count(_STARTED)
        kill(self.process.pid, number)
        self.error_log.wait_for(_STARTED, timeout, times=before + 1)

    def stop(self):
        """Ends it and fails on anything in the log that no test allowed, or on orphans."""
        if self.process is None:
            remove_directory(self.directory)
            return
        _let_connections_end()
        leftovers = end(self.process, timeout=15)
        self.process = None
        complaints = self.error_log.complaints()
        remove_directory(self.directory)
        assert not leftovers, f"processes that outlived Apache: {leftovers}"
        assert not complaints, "unexpected lines in the error log:\n" + "\n".join(complaints)

    def kill(self):
        """SIGKILL to the parent and all that it forked, as a loss of power looks to the files."""
        kill_session(self.process)
        self.process = None

    # -- processes -----------------------------------------------------------------------------

    def _holds_keeper_lock(self, pid):
        lock = f"{self.database}.keeper-lock"
        folder = f"/proc/{pid}/fd"
        try:
            return any(os.readlink(f"{folder}/{fd}") == lock for fd in os.listdir(folder))
        except OSError:
            return False

    def keepers(self):
        """The children of the parent that have the lock file of the database open."""
        return [pid for pid in children_of(self.process.pid) if self._holds_keeper_lock(pid)]

    def keeper(self, timeout=10):
        """The one keeper; while an old one hands over there may be two, so this waits."""
        def single():
            found = self.keepers()
            return found[0] if len(found) == 1 else None
        return wait_until(single, timeout, f"single keeper of {self.database}")

    def kill_keeper(self, timeout=15):
        """SIGKILL to the keeper, and waits for the next one."""
        old = self.keeper()
        kill(old)
        wait_until(lambda: self.keepers() not in ([], [old]), timeout, "new keeper")

    def children(self):
        """The processes that serve requests, of every generation."""
        keepers = self.keepers()
        return [pid for pid in children_of(self.process.pid) if pid not in keepers]

    # -- use -----------------------------------------------------------------------------------

    @property
    def client(self):
        """With `told`, a PublishListener, one that returns from `say` when that has been told too."""
        return ToldClient(self.port, self._told) if self._told else Client(self.port)


def configtest(site, mpm="event", environment=None, keys=False):
    """What `apache2 -t` says of a site, without a server: its exit status and its output. Warnings of the tests'
    own keys are left out unless `keys` says otherwise."""
    apache = Apache(site, mpm=mpm, environment=environment)
    try:
        status, output = apache.configtest()
        return status, output if keys else without_keys(output)
    finally:
        apache.stop()
