"""Gathers what is wrong with one table while reading it goes on, so that a person mends it once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from counterseal.errors import ConfigError, CountersealError, InputError
from counterseal.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ValueT = TypeVar("ValueT")


class Faults:
    """The faults met so far."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def attempt(self, make: Callable[[], ValueT], otherwise: ValueT) -> ValueT:
        """Return what ``make`` returns, or note why it does not and return ``otherwise``, to go on with."""
        try:
            return make()
        except ConfigError as error:
            self.findings += error.findings
        except CountersealError as error:
            self.note(error)
        return otherwise

    def note(self, error: CountersealError) -> None:
        """Note a fault."""
        self.findings.append(Finding(error.code, Severity.CRITICAL, error.message, hint=error.hint))

    def note_choice(self, key: str, text: str, known: Iterable[str]) -> None:
        """Note that a word is none of those that can be chosen."""
        self.note(
            InputError("config.choice", f"not a value for {key}: {text!r}", hint=f"choose one of {', '.join(known)}")
        )

    def refuse(self) -> None:
        """Raise ConfigError ``site.invalid`` with all of them, if there is any."""
        if self.findings:
            first = self.findings[0]
            raise ConfigError("site.invalid", first.message, findings=tuple(self.findings), hint=first.hint)
