"""How much of each fault: the short form of `./dev check`, or the long one of `./dev soak`."""

import os

SOAK = bool(os.environ.get("GRIP_CHAT_SOAK"))
# How long the load of the memory case lasts.
HOURS = float(os.environ.get("GRIP_CHAT_SOAK_HOURS", "1"))


def scaled(short, soak):
    return soak if SOAK else short
