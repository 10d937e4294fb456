"""Running the rules over a configuration: which concern this nginx, what they found, and what was silenced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.findings import Finding, Severity
from counterseal.nginx.lint.catalogue import RULES
from counterseal.nginx.lint.edit import choose_edits
from counterseal.nginx.lint.files import NAMING
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.ignore import Judged, find_ignores

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Mapping

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.fix import Fix
    from counterseal.nginx.lint.ignore import Ignore
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


def lint(configuration: Configuration, texts: Mapping[str, str], *, rules: Collection[Rule] = RULES) -> LintResult:
    """Run every rule that concerns the version; ``texts`` are the files, for their order and their comments."""
    concerning = [rule for rule in rules if rule.concerns(configuration.version)]
    order = {file: number for number, file in enumerate(texts)}
    located = {
        (rule.code, found.place, found.message): _located(rule, found)
        for rule in concerning
        for found in (rule.check(configuration) if rule.check else ())
    }
    ignores = tuple(find_ignores(texts))
    ignored = {(ignore.file, ignore.about, code) for ignore in ignores for code in ignore.codes}
    silenced = {place for one in located.values() if (place := _comment_place(one)) in ignored}
    loud = [one for one in located.values() if _comment_place(one) not in silenced]
    codes = frozenset(rule.code for rule in rules)
    heard = frozenset(rule.code for rule in concerning) if ignores and _is_all_known(configuration) else frozenset()
    for judged in (_judged(ignore, silenced, codes, heard) for ignore in ignores):
        loud += (_located(rule, found) for rule in concerning if rule.judge for found in rule.judge(judged))
    loud.sort(key=lambda one: (order.get(one.place.file, len(order)), one.place.line, one.place.column, one.rule.code))
    return LintResult(tuple(loud), silenced=sum(_comment_place(one) in silenced for one in located.values()))


def _comment_place(one: Located) -> tuple[str, int, str]:
    """Return what a comment has to be about, and to name, to silence a finding."""
    return one.place.file, one.place.line, one.rule.code


def _is_all_known(configuration: Configuration) -> bool:
    """Whether a rule that finds nothing has nothing to find: neither files nor what stands around were left out."""
    levels = configuration.main.walk()
    are_files_known = bool(configuration.files) or not any(NAMING & level.own.keys() for level in levels)
    return are_files_known and not configuration.is_fragment


def _judged(
    ignore: Ignore, silenced: Container[tuple[str, int, str]], codes: frozenset[str], heard: frozenset[str]
) -> Judged:
    """Tell what a comment is good for; ``heard`` are the rules that would have found what there is."""
    unknown = tuple(code for code in ignore.codes if code not in codes)
    idle = (code for code in ignore.codes if (ignore.file, ignore.about, code) not in silenced)
    return Judged(ignore, unknown, tuple(code for code in idle if code in heard), codes)


def _located(rule: Rule, found: Found) -> Located:
    finding = Finding(rule.code, rule.severity, found.message, where=str(found.place), hint=rule.remedy)
    return Located(finding, rule, found.place, found.fix, found.harmed)
