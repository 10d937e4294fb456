"""One line of the doctor's page, and how an error on the way becomes one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from counterseal.errors import ConfigError, CountersealError, RefusedError
from counterseal.files import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class State(StrEnum):
    """How something is, from good to bad."""

    OK = "ok"
    ATTENTION = "attention"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at (``topic``, and which one of several), how it is, in words, and what mends it."""

    topic: str
    subject: str
    state: State
    message: str
    mend: str | None = None


def ok(topic: str, subject: str, message: str) -> Check:
    """Return a line about something that is well."""
    return Check(topic, subject, State.OK, message)


def attention(topic: str, subject: str, message: str, mend: str | None = None) -> Check:
    """Return a line about something that somebody should look after, and that works so far."""
    return Check(topic, subject, State.ATTENTION, message, mend)


def broken(topic: str, subject: str, message: str, mend: str | None = None) -> Check:
    """Return a line about something that does not work."""
    return Check(topic, subject, State.BROKEN, message, mend)


def looked(topic: str, look: Callable[[], Iterable[Check]]) -> tuple[Check, ...]:
    """Return what ``look`` answers; what it raises is a line of its own, and nothing else is lost."""
    try:
        return tuple(look())
    except (ConfigError, RefusedError) as error:
        faults = "; ".join(f"{one.where}: {one.message}" if one.where else one.message for one in error.findings)
        hints = "; ".join(one.hint for one in error.findings if one.hint)
        return (broken(topic, "", f"{error.message}{': ' if faults else ''}{faults}", error.hint or hints or None),)
    except CountersealError as error:
        return (broken(topic, "", error.message, error.hint),)
    except OSError as error:
        return (broken(topic, "", f"cannot look: {reason_of(error)}"),)


def worst_of(checks: Iterable[Check]) -> State:
    """Return the worst state among them."""
    found = {check.state for check in checks}
    return next((state for state in (State.BROKEN, State.ATTENTION) if state in found), State.OK)
