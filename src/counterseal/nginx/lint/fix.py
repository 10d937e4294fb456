"""What mends a finding, and how sure that is: an edit that is right as it stands, a suggestion, or a command.

The words for how sure are those of rustc and Clippy. A suggestion is an edit, too, for the very line of the finding,
and waits for a decision of the owner; where the owner alone knows a word of it, a placeholder like ``<client-ca.pem>``
stands there, and no such edit is ever written to a file. A command is for what no configuration can say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterseal.nginx.lint.edit import Edit

_PLACEHOLDER = re.compile(r"(?<!\?)(?<!\?P)<[a-z][a-z0-9-]*(?:\.[a-z]+)?>")  # (?<name>...) and (?P<name>...) are none


class Applicability(StrEnum):
    """How sure a fix is; ``COMMAND`` is no edit of the configuration at all."""

    MACHINE_APPLICABLE = "machine-applicable"
    MAYBE_INCORRECT = "maybe-incorrect"
    HAS_PLACEHOLDERS = "has-placeholders"
    COMMAND = "command"


REFRESH = "counterseal refresh"
"""Signs every list anew that is due, renews certificates of sites, and deploys both."""
SUGGESTED = (Applicability.MAYBE_INCORRECT, Applicability.HAS_PLACEHOLDERS)


@dataclass(frozen=True, slots=True)
class Fix:
    """The edits that mend a finding, with the decision they wait for, if any; or the command that does."""

    edits: tuple[Edit, ...] = ()
    decision: str = ""
    command: str = ""

    @property
    def placeholders(self) -> tuple[str, ...]:
        """What is to be filled in by hand, in the order it stands."""
        return tuple(dict.fromkeys(found for edit in self.edits for found in _PLACEHOLDER.findall(edit.new)))

    @property
    def applicability(self) -> Applicability:
        """How sure it is; what has a placeholder in it is never applicable."""
        if self.command:
            return Applicability.COMMAND
        if self.placeholders:
            return Applicability.HAS_PLACEHOLDERS
        return Applicability.MAYBE_INCORRECT if self.decision else Applicability.MACHINE_APPLICABLE
