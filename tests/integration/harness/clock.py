"""A clock that runs ahead, for what depends on hours."""

import subprocess

from . import paths

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
