"""The table, on a terminal and in docs/performance.md."""

import re

from harness import paths

DOCUMENT = paths.ROOT / "docs" / "performance.md"


def line(result):
    mark = "ok  " if result.holds else "MISS"
    beside = f"; {result.beside}" if result.beside else ""
    return (f"{mark} {result.name:13} {result.ratio_text}, to reach {result.target_text}; "
            f"{result.what} / {result.yardstick}{beside}")


def _row(result):
    holds = "yes" if result.holds else "**no**"
    return (f"| {result.what} | {result.yardstick} | {result.target_text} | {result.ratio_text} "
            f"| {holds} | {result.beside} | `-k {result.name}` |\n")


def write(results):
    """A line is found by its row's name: a run of some rows leaves the others as they are."""
    rows = {result.name: _row(result) for result in results}
    text = DOCUMENT.read_text()
    table = re.search(r"<!-- bench -->\n(.*?)<!-- end -->", text, re.S)
    lines = table.group(1).splitlines(keepends=True)
    for name, row in rows.items():
        at = [i for i, old in enumerate(lines) if f"`-k {name}`" in old]
        if at:
            lines[at[0]] = row
        else:
            lines.append(row)
    text = text[:table.start(1)] + "".join(lines) + text[table.end(1):]
    DOCUMENT.write_text(text)
