"""Clocks of servers that show another time, for what depends on hours."""

import glob
import os
import subprocess

from . import paths
from .processes import remove_directory, run_directory

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>

int gettimeofday(struct timeval *now, void *zone)
{
    static int (*real)(struct timeval *, void *);

    if (!real) {
        real = (int (*)(struct timeval *, void *))dlsym(RTLD_NEXT, "gettimeofday");
    }
    int failed = real(now, zone);

    now->tv_sec += AHEAD;
    return failed;
}
"""


def environment_ahead(directory, seconds):
    """The environment of a server for whose apr_time_now() it is `seconds` later."""
    source, library = directory / "clock.c", directory / "clock.so"
    source.write_text(_SOURCE)
    subprocess.run([paths.program("cc"), "-shared", "-fPIC", f"-DAHEAD={seconds}",
                    "-o", library, source], check=True, timeout=30)
    library.chmod(0o755)
    return {"LD_PRELOAD": str(library)}


def settable_clock_library():
    """The library of the package faketime, None where it is not installed."""
    return next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)


class SettableClock:
    """The clock of a server, which a test sets while it runs.

    The wall clock alone: the monotonic one goes on, as it does when somebody sets a machine's.
    """

    def __init__(self):
        self._directory = run_directory()
        self._file = self._directory / "ahead"
        self.set_ahead(0)

    @property
    def environment(self):
        return {"LD_PRELOAD": settable_clock_library(),
                "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1",
                "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def set_ahead(self, seconds):
        """From now on; negative for a clock that goes behind."""
        new = self._directory / "new"
        new.write_text(f"{seconds:+d}\n")
        new.chmod(0o644)
        os.replace(new, self._file)

    def remove(self):
        remove_directory(self._directory)
