"""Fixtures and hooks of all tests with real servers."""

pytest_plugins = ["harness.fixtures"]
