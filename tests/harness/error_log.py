"""Reads Apache's error log, and knows which of its lines nobody expects."""

import re

from .processes import wait_until

_LEVEL = re.compile(r"^\[[^\]]*\] \[[\w-]*:(?P<level>\w+)\]")
_BAD_LEVELS = {"warn", "error", "crit", "alert", "emerg"}
# What Debian's packages say of each other where one was brought up to date without the other.
_OF_PACKAGES = re.compile(r"AH01882: Init: this version of mod_ssl was compiled against a newer")
# Children that crash are reported at level notice.
_CRASH = re.compile(r"exit signal (?!Killed|Terminated)|glibc detected|Sanitizer|GC_ASSERT")


# The tests' proxies have no key, or Pushpin's packaged one: the module warns of both, and test_trust.py looks
# for that.
_OF_KEYS = re.compile(r"\[grip_chat:warn\].* GC018[01]: ")


def without_keys(output):
    """What configtest says, less the warnings of the tests' own keys."""
    return "".join(line for line in output.splitlines(True) if not _OF_KEYS.search(line))


class ErrorLog:
    def __init__(self, path):
        self.path = path
        self._allowed = []

    def text(self):
        try:
            return self.path.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def lines(self):
        return self.text().splitlines()

    def allow(self, *patterns):
        """Lines that match one of these expressions are expected from now on."""
        self._allowed += [re.compile(pattern) for pattern in patterns]

    def complaints(self):
        """The lines at level warn or worse, of a crash, or of no log format, less the allowed."""
        return [line for line in self.lines()
                if self._is_bad(line) and not any(p.search(line) for p in self._allowed)]

    @staticmethod
    def _is_bad(line):
        if _CRASH.search(line):
            return True
        if _OF_PACKAGES.search(line) or _OF_KEYS.search(line):
            return False
        found = _LEVEL.match(line)
        return found["level"] in _BAD_LEVELS if found else bool(line.strip())

    def count(self, pattern):
        return len(re.findall(pattern, self.text()))

    def wait_for(self, pattern, timeout=10, times=1):
        return wait_until(lambda: self.count(pattern) >= times, timeout,
                          f"line with {pattern!r} in the error log:\n{self.text()[-2000:]}")

    def tail(self, lines=40):
        return "\n".join(self.lines()[-lines:])
