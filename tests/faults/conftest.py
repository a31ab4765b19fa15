"""The fixtures of the fault suite, and the figures at its end."""

from faults.figures import chance, figure, pytest_terminal_summary

__all__ = ["chance", "figure", "pytest_terminal_summary"]
