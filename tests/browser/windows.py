"""The windows of a test."""

import pytest

from browser.window import Window


@pytest.fixture
def window():
    """Opens windows that close with the test."""
    opened = []

    def start(port, **options):
        opened.append(Window(port, **options))
        return opened[-1]
    yield start
    for each in opened:
        each.close()
