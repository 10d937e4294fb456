"""Between aware UTC datetimes, which everything above the store speaks, and the integer seconds it keeps."""

from __future__ import annotations

from datetime import UTC, datetime


def epoch(moment: datetime) -> int:
    """Return the whole seconds since 1970-01-01 UTC of an aware datetime."""
    return int(moment.timestamp())


def moment(seconds: int) -> datetime:
    """Return the aware UTC datetime of whole seconds since 1970-01-01."""
    return datetime.fromtimestamp(seconds, UTC)


def isoformat(seconds: int | None) -> str | None:
    """Return whole seconds since 1970-01-01 in ISO 8601, as every ``--json`` has them; None stays None."""
    return None if seconds is None else moment(seconds).isoformat()


def show_moment(at: datetime) -> str:
    """Return an aware UTC datetime to the minute, as every message has it: ``2026-11-26 15:04 UTC``."""
    return f"{at.isoformat(' ', 'minutes')[:16]} UTC"  # strftime takes five times as long
