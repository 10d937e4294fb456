"""A name to look for, with ``*`` for anything: a range of the index of names, and what a value must match. PURE."""

from __future__ import annotations

import re
from dataclasses import dataclass

from counterseal.errors import InputError
from counterseal.store.rows import BACKWARD, FORWARD, Row, backward

_PATTERN_LIMIT = 1000
_LAST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A name pattern as a range of the name index: its direction, how values begin, and what else must hold."""

    direction: int
    prefix: str
    like: str | None
    expression: re.Pattern[str]

    def matches(self, value: str) -> bool:
        """Whether a value of the index is one of this name."""
        return self.expression.fullmatch(value) is not None

    def range(self) -> tuple[str, Row]:
        """Return the condition on the index of names, ``n``, that all values of this name fulfil, with its values."""
        condition, values = "n.direction = ?", (self.direction,)
        if not self.prefix:
            return condition, values
        end = successor(self.prefix)
        if end is None:
            return f"{condition} and n.value >= ?", (*values, self.prefix)
        return f"{condition} and n.value >= ? and n.value < ?", (*values, self.prefix, end)

    @classmethod
    def of(cls, name: str) -> Pattern:
        """Return what a name as it is asked for means; raises InputError ``query.name``."""
        if len(name) > _PATTERN_LIMIT:
            raise InputError("query.name", f"name pattern is longer than {_PATTERN_LIMIT} characters: {name[:40]}...")
        wanted = open_ended(name.lower().replace("\0", "\ufffd"))
        direction = FORWARD
        if wanted.startswith(("*.", "*@")) and "*" not in wanted[1:]:
            direction, wanted = BACKWARD, _from_its_end(wanted[1:])
        pieces = wanted.split("*")
        simple = len(pieces) == 2 and not pieces[1]  # noqa: PLR2004 - "prefix*": the range says it all
        expression = re.compile(".*".join(map(re.escape, pieces)), re.DOTALL)
        return cls(direction, pieces[0], None if simple else like(wanted), expression)


def _from_its_end(suffix: str) -> str:
    """Return ``com.example.*`` for ``.example.com`` and ``com.example@*`` for ``@example.com``."""
    separator, rest = suffix[0], suffix[1:]
    return f"{backward(rest)}{separator}*"


def like(pattern: str) -> str:
    """Return the pattern for ``like``, with a backslash before what means something there."""
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return open_ended(escaped).replace("*", "%")


def open_ended(pattern: str) -> str:
    """Return the pattern with a ``*`` at its end where it has none: a word means what begins with it."""
    return pattern if "*" in pattern else f"{pattern}*"


def successor(prefix: str) -> str | None:
    """Return the least text that follows every text with this prefix, in the order of code points."""
    stem = prefix.rstrip(chr(_LAST))
    if not stem:
        return None
    code = ord(stem[-1]) + 1
    return stem[:-1] + chr(_SURROGATES.stop if code in _SURROGATES else code)
