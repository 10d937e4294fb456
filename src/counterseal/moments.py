"""Between aware UTC datetimes, which everything above the store speaks, and the integer seconds it keeps."""

from __future__ import annotations

from datetime import UTC, datetime


def epoch(moment: datetime) -> int:
    """Return the whole seconds since 1970-01-01 UTC of an aware datetime."""
    return int(moment.timestamp())


def moment(seconds: int) -> datetime:
    """Return the aware UTC datetime of whole seconds since 1970-01-01."""
    return datetime.fromtimestamp(seconds, UTC)
