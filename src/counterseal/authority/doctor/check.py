"""One line of the doctor's page, and how an error on the way becomes one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.errors import ConfigError, CountersealError, RefusedError, shell_line
from counterseal.files import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DEPLOY = "counterseal nginx deploy"
RESTORE = "counterseal restore BACKUP --home ELSEWHERE"
"""Brings back what was lost, beside what is there: a restore mixes nothing."""


class State(StrEnum):
    """How something is, from good to bad."""

    OK = "ok"
    ATTENTION = "attention"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at (``topic``, and which one of several), how it is, in words, and what mends what is not ok."""

    topic: str
    subject: str
    state: State
    message: str
    mend: str | None = None


def ok(topic: str, subject: str, message: str) -> Check:
    """Return a line about something that is well."""
    return Check(topic, subject, State.OK, message)


def attention(topic: str, subject: str, message: str, mend: str) -> Check:
    """Return a line about something that somebody should look after, and that works so far."""
    return Check(topic, subject, State.ATTENTION, message, mend)


def broken(topic: str, subject: str, message: str, mend: str) -> Check:
    """Return a line about something that does not work."""
    return Check(topic, subject, State.BROKEN, message, mend)


def looked(topic: str, look: Callable[[], Iterable[Check]], otherwise: str) -> tuple[Check, ...]:
    """Return what ``look`` answers; what it raises is a line of its own, and nothing else is lost.

    ``otherwise`` mends what is raised without a hint.
    """
    try:
        return tuple(look())
    except CountersealError as error:
        return (failed(topic, error, otherwise),)
    except OSError as error:
        named = f": {error.filename}" if error.filename else ""
        return (broken(topic, "", f"cannot look: {reason_of(error)}{named}", _permit(error) or otherwise),)


def failed(topic: str, error: CountersealError, otherwise: str) -> Check:
    """Return the line of an error with all its findings; its hint mends it, else ``otherwise``."""
    findings = error.findings if isinstance(error, ConfigError | RefusedError) else ()
    faults = "; ".join(f"{one.place}: {one.message}" if one.place else one.message for one in findings)
    hints = "; ".join(one.hint for one in findings if one.hint)
    mend = error.hint or hints or _permit(error.__cause__) or otherwise
    return broken(topic, "", f"{error.message}{': ' if faults else ''}{faults}", mend)


def _permit(error: BaseException | None) -> str | None:
    """Return what gives a path to the owner of the directory that it is in, where the system let us not look at it."""
    if not isinstance(error, PermissionError) or not error.filename:
        return None
    path = Path(error.filename)
    return f"sudo {shell_line('chown', f'--reference={path.parent}', path)}, and run the doctor as that user"


def worst_of(checks: Iterable[Check]) -> State:
    """Return the worst state among them."""
    found = {check.state for check in checks}
    return next((state for state in (State.BROKEN, State.ATTENTION) if state in found), State.OK)
