"""Running the rules over a configuration: which concern this nginx, what they found, and what was silenced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.findings import Finding, Severity
from counterseal.nginx.lint.catalogue import RULES
from counterseal.nginx.lint.edit import choose_edits
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.ignore import find_ignored

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.fix import Fix
    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.lint.rule import Found, Place, Rule
    from counterseal.nginx.tree import Directive


@dataclass(frozen=True, slots=True)
class Located:
    """A finding with its rule, its place, what mends it, and the block elsewhere that it harms."""

    finding: Finding
    rule: Rule
    place: Place
    fix: Fix | None = None
    harmed: Directive | None = None

    def has(self, *kinds: Applicability) -> bool:
        """Whether what mends it is of one of these kinds."""
        return self.fix is not None and self.fix.applicability in kinds


@dataclass(frozen=True, slots=True)
class LintResult:
    """What was found, in the order of the files and their lines, and how many findings comments silenced."""

    found: tuple[Located, ...]
    silenced: int = 0

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings alone."""
        return tuple(located.finding for located in self.found)

    def fixed_by(self, accepted: Container[str] = ()) -> tuple[Located, ...]:
        """Return what is mended mechanically, with the suggestions of the rules whose codes were accepted."""
        return tuple(
            one
            for one in self.found
            if one.has(Applicability.MACHINE_APPLICABLE)
            or (one.rule.code in accepted and one.has(Applicability.MAYBE_INCORRECT))
        )

    def edits(self, accepted: Container[str] = ()) -> tuple[Edit, ...]:
        """Return the edits of these: each finding is mended as a whole, or not at all where two contradict."""
        return choose_edits(one.fix.edits for one in self.fixed_by(accepted) if one.fix)

    def at_or_above(self, severity: Severity) -> tuple[Located, ...]:
        """Return what is at least that bad."""
        return tuple(located for located in self.found if located.finding.severity >= severity)


def lint(configuration: Configuration, texts: Mapping[str, str], *, rules: Iterable[Rule] = RULES) -> LintResult:
    """Run every rule that concerns the version; ``texts`` are the files, for their order and their comments."""
    ignored = find_ignored(texts)
    order = {file: number for number, file in enumerate(texts)}
    located = {
        (rule.code, found.place, found.message): _located(rule, found)
        for rule in rules
        if rule.concerns(configuration.version)
        for found in rule.check(configuration)
    }
    loud = [one for one in located.values() if (one.place.file, one.place.line, one.rule.code) not in ignored]
    loud.sort(key=lambda one: (order.get(one.place.file, len(order)), one.place.line, one.place.column, one.rule.code))
    return LintResult(tuple(loud), silenced=len(located) - len(loud))


def _located(rule: Rule, found: Found) -> Located:
    finding = Finding(rule.code, rule.severity, found.message, where=str(found.place), hint=rule.remedy)
    return Located(finding, rule, found.place, found.fix, found.harmed)
