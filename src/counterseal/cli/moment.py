"""A moment as people write it: ISO 8601, so long from now, as openssl prints it, or in seconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from counterseal.duration import parse_duration
from counterseal.errors import InputError
from counterseal.pki.shown import quoted

# Python's own reading of ISO 8601 takes other forms too, and 20270131120000Z for eight in the evening.
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?")
_FROM_NOW = re.compile(r"([+-])(\d+[a-z])", re.IGNORECASE)
_SECONDS = re.compile(r"\d{9,11}")
_OF_OPENSSL = re.compile(r"[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d \d{4} GMT")


def parse_moment(text: str, now: datetime) -> datetime:
    """Return the moment in UTC, in which it is taken to be where nothing is said; raises InputError ``time.form``."""
    try:
        moment = _read(text.strip(), now)
    except (ValueError, OverflowError):  # a form that is known, and no such day or hour
        moment = None
    if moment is None:
        hint = "write it as 2027-01-31, 2027-01-31T12:00, 2027-01-31T12:00+01:00, or +30d for so long from now"
        raise InputError("time.form", f"not a moment: {quoted(text)}", hint=hint)
    return moment


def _read(text: str, now: datetime) -> datetime | None:
    if from_now := _FROM_NOW.fullmatch(text):
        length = parse_duration(from_now[2])
        return now + length if from_now[1] == "+" else now - length
    if _SECONDS.fullmatch(text):
        return datetime.fromtimestamp(int(text), UTC)
    if _OF_OPENSSL.fullmatch(text):
        return datetime.strptime(text, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    if _ISO.fullmatch(text):
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return None
