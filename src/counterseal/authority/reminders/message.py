"""A reminder as people read it and as programs do; both say the same. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from counterseal.duration import show_duration
from counterseal.moments import show_moment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from counterseal.authority.reminders.due import Due, Ending

VERSION = 1
_HINTS = {
    "certificate": "counterseal list --expiring 30d shows all; counterseal renew or rekey makes a new one",
    "ca": "counterseal ca add, and let its certificates be renewed under it",
    "list": "counterseal refresh signs a new list, counterseal ca import-crl takes one whose CA's key is elsewhere;"
    " without one nginx refuses everybody under the CA",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. The same things due have the same ``id``, so that a receiver knows a repetition."""

    id: str
    at: datetime
    subject: str
    text: str
    document: dict[str, Any]


def reminder(due: Due, source: str) -> Message:
    """Return the message about what is due; ``source`` says which CA it is about."""
    content = "\n".join(f"{one.kind} {one.name} {one.serial_number} {one.note} {one.ends}" for one in due.endings)
    identity = "msg_" + sha256(f"{source}\n{due.count}\n{content}".encode()).hexdigest()[:32]
    first = min(due.endings, key=lambda one: one.ends)
    more = f" and {due.count - 1} more" if due.count > 1 else ""
    subject = f"counterseal: {first.kind} {first.name} {_when(first, due.at)}{more}"
    lines = [f"{source}, {show_moment(due.at)}", ""]
    lines += [_line(one, due.at) for one in due.endings]
    lines += [f"and {due.count - len(due.endings)} more"] if due.count > len(due.endings) else []
    lines += ["", *(f"{kind}: {hint}" for kind, hint in _HINTS.items() if _has(due.endings, kind))]
    document = _document("reminder", due.at, source) | {
        "count": due.count,
        "endings": [_ending(one, due.at) for one in due.endings],
    }
    return Message(identity, due.at, subject, "\n".join(lines) + "\n", document)


def trial(at: datetime, source: str) -> Message:
    """Return a message that only says that messages arrive."""
    identity = "msg_" + sha256(f"{source}\n{at.isoformat()}".encode()).hexdigest()[:32]
    text = f"{source}, {show_moment(at)}\n\nThis is a test: reminders arrive here.\n"
    return Message(identity, at, "counterseal: a test of reminders", text, _document("test", at, source))


def _document(kind: str, at: datetime, source: str) -> dict[str, Any]:
    return {"version": VERSION, "type": kind, "timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}", "source": source}


def _ending(one: Ending, at: datetime) -> dict[str, Any]:
    more = {} if one.serial_number is None else {"serial_number": one.serial_number, "issuer": one.issuer}
    seconds = int((one.ends - at).total_seconds())
    return {
        "kind": one.kind, "name": one.name, "note": one.note, **more,
        "ends": f"{one.ends:%Y-%m-%dT%H:%M:%SZ}", "seconds_left": seconds,
    }  # fmt: skip


def _line(one: Ending, at: datetime) -> str:
    of = f", issued by {one.issuer}, serial {one.serial_number}" if one.serial_number else ""
    return f"{show_moment(one.ends)}  {one.kind} {one.name} {_when(one, at)}  ({one.note}{of})"


def _when(one: Ending, at: datetime) -> str:
    left = show_duration(abs(one.ends - at))
    return f"ends in {left}" if one.ends > at else f"ended {left} ago"


def _has(endings: Sequence[Ending], kind: str) -> bool:
    return any(one.kind == kind for one in endings)
