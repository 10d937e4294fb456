"""Gathers what is wrong with one table while reading it goes on, so that a person mends it once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from counterseal.config.meant import hint_for_choice
from counterseal.errors import ConfigError, CountersealError, InputError
from counterseal.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ValueT = TypeVar("ValueT")


def join(table: str, key: str | None) -> str:
    """Return the path of a key of a table, where there are both."""
    return ".".join(part for part in (table, key) if part)


class Faults:
    """The faults met so far; ``where`` of each is the path of its key in the table."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def attempt(self, make: Callable[[], ValueT], otherwise: ValueT, key: str = "") -> ValueT:
        """Return what ``make`` makes of ``key``, or note why it does not and return ``otherwise``, to go on with."""
        try:
            return make()
        except ConfigError as error:
            self.findings += (one._replace(where=join(key, one.where)) for one in error.findings)
        except CountersealError as error:
            self.note(error, key)
        return otherwise

    def note(self, error: CountersealError, key: str) -> None:
        """Note a fault of ``key``."""
        self.findings.append(Finding(error.code, Severity.CRITICAL, error.message, where=key, hint=error.hint))

    def note_choice(self, key: str, text: str, known: Iterable[str]) -> None:
        """Note that a word is none of those that can be chosen."""
        hint = hint_for_choice(text, known)
        self.note(InputError("config.choice", f"not a value for {key.rpartition('.')[2]}: {text!r}", hint=hint), key)

    def refuse(self) -> None:
        """Raise ConfigError ``site.invalid`` with all of them, if there is any."""
        if self.findings:
            first = self.findings[0]
            raise ConfigError("site.invalid", first.message, findings=tuple(self.findings), hint=first.hint)
