"""Fills in the templates of conf/dev, the same ones that `./dev run` uses."""

import re

from . import paths


def fill(name, values):
    """The text of conf/dev/`name` with each @WORD@ replaced; an unknown word is an error."""
    text = (paths.TEMPLATES / name).read_text()
    return re.sub(r"@([A-Z_]+)@", lambda found: str(values[found.group(1)]), text)


def set_options(text, options):
    """A Pushpin configuration in which each option has another value than the template's."""
    for key, value in options.items():
        text, found = re.subn(rf"(?m)^{re.escape(key)}=.*$", f"{key}={value}", text)
        if found != 1:
            raise ValueError(f"conf/dev/pushpin.conf.in has no single line for {key}")
    return text
