"""The fixture of the browser tests."""

from browser.windows import window

__all__ = ["window"]
