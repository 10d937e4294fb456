"""Lengths of time as people write them: ``90d``, ``12h``, ``30m``, ``2w``, ``1y`` (365 days)."""

from __future__ import annotations

import re
from datetime import timedelta

from counterseal.errors import InputError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}
_FORM = re.compile(r"(\d{1,9})([smhdwy])")
_NOTHING = timedelta(0)
_LONGEST = timedelta(days=365 * 100)


def parse_duration(text: str) -> timedelta:
    """Return the length that ``text`` says, at most 100 years; raises InputError ``duration.form``."""
    match = _FORM.fullmatch(text.strip().lower())
    if match is None:
        raise InputError(
            "duration.form", f"not a length of time: {text!r}", hint="write a number and a unit, as in 90d, 12h or 30m"
        )
    number, unit = match.groups()
    seconds = int(number) * _SECONDS[unit]
    if seconds > _LONGEST.total_seconds():
        raise InputError("duration.form", f"longer than 100 years: {text!r}")
    return timedelta(seconds=seconds)


def show_duration(length: timedelta) -> str:
    """Return a length in its two largest units: ``89d 23h``, ``4m 10s``; negative ones with a minus."""
    sign = "-" if length < _NOTHING else ""
    magnitude = abs(length)
    seconds = magnitude.days * 86_400 + magnitude.seconds
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
        if len(parts) == 2:  # noqa: PLR2004 - the two largest
            break
    return sign + (" ".join(parts) or "0s")
