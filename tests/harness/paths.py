"""Where the project and the programs are."""

import functools
import os
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "conf" / "dev"
HTDOCS = ROOT / "htdocs"
PAGE_CONF = ROOT / "conf" / "page.conf"


def _build():
    """The build directory; GRIP_CHAT_BUILD names another than build/."""
    return pathlib.Path(os.environ.get("GRIP_CHAT_BUILD", ROOT / "build")).resolve()


def module_path():
    """The module under test."""
    return _build() / ".libs" / "mod_grip_chat.so"


def other_layout_path():
    """The module as another version would be, which lays out shared memory in its own way."""
    return _build() / "tests" / "upgrade" / ".libs" / "mod_grip_chat.so"


def section_number_path():
    """A module that tells a test of the directive that the other layout has for a section."""
    return _build() / "tests" / "modules" / ".libs" / "mod_section_number.so"


def load_client_path():
    """The load client; its sources are in tests/load."""
    return _build() / "tests" / "load" / "chat_load"


def slow_parking_path():
    """A module that stretches the moment in which a connection is handed over; see its source."""
    return _build() / "tests" / "modules" / ".libs" / "mod_slow_parking.so"


def program(name):
    """The path of an installed program; sbin is not on an ordinary user's PATH."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise RuntimeError(f"{name} is not installed; ./dev check installs it")
    return found


@functools.lru_cache(maxsize=None)
def apache_modules_dir():
    answer = subprocess.run([program("apxs"), "-q", "LIBEXECDIR"], check=True,
                            capture_output=True, text=True, timeout=20)
    return answer.stdout.strip()


def _named(variable, name):
    """The program that a variable names, or the PATH where it says nothing; None where there is none."""
    name = os.environ.get(variable) or name
    return None if name == "none" else shutil.which(name)


def pushpin():
    """The Pushpin under test, or None; GRIP_CHAT_PUSHPIN names another than the one on the PATH."""
    return _named("GRIP_CHAT_PUSHPIN", "pushpin")


def centrifugo():
    """What the bench measures own streams beside, or None."""
    return _named("GRIP_CHAT_CENTRIFUGO", "centrifugo")


@functools.lru_cache(maxsize=None)
def pushpin_version():
    """As two numbers."""
    answer = subprocess.run([pushpin(), "--version"], check=True, capture_output=True, text=True, timeout=20)
    return tuple(map(int, re.match(r"pushpin v?(\d+)\.(\d+)", answer.stdout).groups()))


def pushpin_environment():
    """It finds the programs that it starts on the PATH alone, wherever it is itself."""
    beside = pathlib.Path(pushpin()).resolve().parent
    return {**os.environ, "PATH": f"{beside}:{os.environ.get('PATH', '')}"}


def pushpin_services():
    """From 1.40 on it does its requests to the origin itself."""
    return ("connmgr,proxy,handler" if pushpin_version() >= (1, 40)
            else "condure,zurl,pushpin-proxy,pushpin-handler")


def pushpin_internal_conf():
    """The file that it was installed with."""
    beside = pathlib.Path(pushpin()).resolve().parents[1] / "lib" / "pushpin" / "internal.conf"
    return beside if beside.exists() else pathlib.Path("/usr/lib/pushpin/internal.conf")
