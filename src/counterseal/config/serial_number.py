"""A serial number as people write it in counterseal.toml."""

from __future__ import annotations

import re

from counterseal.errors import InputError

_HEX = re.compile(r"(?:0x)?[0-9A-Fa-f]+(?::[0-9A-Fa-f]+)*")


def parse_serial(text: str) -> int:
    """Return the number of hexadecimal digits, with or without colons; raises InputError ``config.serial``."""
    if not _HEX.fullmatch(text):
        raise InputError(
            "config.serial",
            f"not a serial number in hexadecimal: {text!r}",
            hint="write all of it, as counterseal show does",
        )
    return int(text.replace(":", ""), 16)
