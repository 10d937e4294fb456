"""All rules with their published descriptions, for ``lint --list-rules`` and docs/lint-rules.md."""

from __future__ import annotations

import dis
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from counterseal.pki.lint import RULES
from counterseal.pki.lint.crl import CRL_RULES
from counterseal.pki.lint.csr import CSR_RULES
from counterseal.pki.lint.finished import FINISHED_RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CODE = re.compile(r"lint\.[a-z_]+")
_KEY_RULES = frozenset({"key_strength", "csr_key"})
_KEY_CODES = ("key.exponent", "key.low_order", "key.modulus", "key.too_large", "key.unsuitable", "key.weak")


@dataclass(frozen=True, slots=True)
class RuleDescription:
    """A rule: its name, what it judges, what must hold, and the codes of its findings."""

    name: str
    judges: str
    holds: str
    codes: tuple[str, ...]


def catalogue() -> tuple[RuleDescription, ...]:
    """Return every rule, in the order in which they run."""
    kinds: dict[str, tuple[Callable[[Any], Any], ...]] = {
        "certificate": RULES,
        "signed certificate": FINISHED_RULES,
        "crl": CRL_RULES,
        "csr": CSR_RULES,
    }
    return tuple(
        RuleDescription(rule.__name__, judges, " ".join(str(rule.__doc__).split()), codes_of(rule))
        for judges, rules in kinds.items()
        for rule in rules
    )


def codes_of(rule: Callable[[Any], Any]) -> tuple[str, ...]:
    """Return the codes that a rule can answer with: they are the constants in its code of that form."""
    own = {str(one.argval) for one in _instructions(rule) if _CODE.fullmatch(str(one.argval))}
    return tuple(sorted(own)) + (_KEY_CODES if rule.__name__ in _KEY_RULES else ())


def _instructions(rule: Callable[[Any], Any]) -> Iterator[dis.Instruction]:
    return dis.get_instructions(rule)
