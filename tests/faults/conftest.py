"""The fault suite uses the servers and fixtures of the integration tests."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

pytest_plugins = ["harness.fixtures", "figures"]
