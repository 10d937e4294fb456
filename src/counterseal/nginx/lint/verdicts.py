"""Conditions on ``$ssl_client_verify``: with what it is compared, and what comes of it.

Over TLS it is SUCCESS, NONE or FAILED:reason, and over plain HTTP empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.nginx.lint.answers import return_code
from counterseal.nginx.lint.comparisons import read_condition
from counterseal.nginx.lint.edit import replace_word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Server
    from counterseal.nginx.tree import Directive

VERDICT = "$ssl_client_verify"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One ``if`` on ``level``: whether the verdict is, by ``operator``, like ``value``; both are empty for a flag."""

    level: Level
    block: Directive
    operator: str
    value: str
    code: str

    @property
    def refuses(self) -> bool:
        """Whether it answers with an error."""
        return self.code >= "4"

    @property
    def is_of_plain_http(self) -> bool:
        """Whether it comes true on plain connections alone."""
        return (self.operator, self.value) == ("=", "")

    def compared(self, operator: str, value: str) -> tuple[Edit, ...]:
        """Return the edits that compare with something else."""
        words = self.block.words
        if not self.operator:
            place, flag = next((place, word.raw) for place, word in enumerate(words) if "$" in word.raw)
            variable = flag.strip("()")
            return (replace_word(self.block, place - 1, flag.replace(variable, f"{variable} {operator} {value}")),)
        place = self.block.arguments.index(self.operator)
        end = ")" if words[place + 2].text.endswith(")") else ""
        return replace_word(self.block, place, operator), replace_word(self.block, place + 1, f"{value}{end}")


def verdicts(server: Server) -> Iterator[Verdict]:
    """Yield every condition of the server that looks at the verdict and nothing else."""
    for level, condition in server.conditions:
        if condition.block is not None:
            code = return_code(condition) or ""
            asked, first = read_condition(condition.block), "".join(condition.block.arguments)
            if asked is not None and _plain(asked.subject) == VERDICT:
                yield Verdict(level, condition.block, asked.operator, asked.value, code)
            elif _plain(first.strip("()")) == VERDICT:
                yield Verdict(level, condition.block, "", "", code)


def sends_to_tls(condition: Level) -> bool:
    """Whether a condition redirects plain HTTP, over which there is no verdict, and so decides about no client."""
    asked = read_condition(condition.block) if condition.block is not None else None
    is_of_plain_http = asked is not None and (_plain(asked.subject), asked.operator, asked.value) == (VERDICT, "=", "")
    return is_of_plain_http and (return_code(condition) or "").startswith("3")


def _plain(variable: str) -> str:
    return variable.replace("{", "").replace("}", "")
