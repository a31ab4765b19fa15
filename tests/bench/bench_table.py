"""The table, on a terminal and in docs/performance.md."""

import re

from harness import paths

DOCUMENT = paths.ROOT / "docs" / "performance.md"


def line(result):
    mark = "ok  " if result.holds else "MISS"
    beside = f"; {result.beside}" if result.beside else ""
    return (f"{mark} {result.name:13} {result.ratio_text}, to reach {result.target_text}; "
            f"{result.what} / {result.yardstick}{beside}")


def _row(result, command):
    holds = "yes" if result.holds else "**no**"
    return (f"| {result.what} | {result.yardstick} | {result.target_text} | {result.ratio_text} "
            f"| {holds} | {result.beside} | `{command} -k '^{result.name}$'` |\n")


def write(result, command):
    """Puts a row into the document; those of other rows, and of other runs, stay as they are."""
    text = DOCUMENT.read_text()
    table = re.search(r"<!-- bench -->\n(.*?)<!-- end -->", text, re.S)
    lines = table.group(1).splitlines(keepends=True)
    at = next((i for i, each in enumerate(lines) if f" -k '^{result.name}$'`" in each), len(lines))
    lines[at:at + 1] = [_row(result, command)]
    DOCUMENT.write_text(text[:table.start(1)] + "".join(lines) + text[table.end(1):])
