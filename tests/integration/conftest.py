"""The fixtures are in the harness, which the browser tests share."""

pytest_plugins = ["harness.fixtures"]
