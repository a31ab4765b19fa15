"""Fixtures and hooks of all tests with real servers."""

import itertools

import pytest

from . import paths
from .servers import Servers, running_apaches


def pytest_sessionstart(session):
    del session
    if not paths.module_path().exists():
        pytest.exit(f"{paths.module_path()} is missing: build it first", returncode=4)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the end of the error log of each Apache that runs."""
    del item, call
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for apache in running_apaches:
            report.sections.append((f"error log of Apache on {apache.port}",
                                    apache.error_log.tail()))


_rooms = itertools.count(1)


@pytest.fixture
def room():
    """A room that no other test writes to."""
    return f"room{next(_rooms)}"


@pytest.fixture
def servers():
    """Starts servers for one test."""
    started = Servers()
    yield started
    started.end()


@pytest.fixture(scope="module")
def module_servers():
    """Starts servers that all tests of a file share."""
    started = Servers()
    yield started
    started.end()
