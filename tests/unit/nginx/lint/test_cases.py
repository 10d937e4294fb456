"""Every rule fires on its bad cases, at the marked lines, and on nothing else."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from counterseal.nginx.lint.catalogue import RULES
from counterseal.nginx.lint.fix import SUGGESTED, Applicability
from nginx_lint_lab import RIGHT, VERSIONS, Case, as_suggested, list_cases, look, mended, write_lab

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.nginx.lint.rule import Rule

KINDS_ELSEWHERE = {"file-unreadable": {Applicability.COMMAND}}
"""Shown in ``test_rules``: root, who may run the tests, reads every file."""
MACHINE = Applicability.MACHINE_APPLICABLE
CODES = {rule.code for rule in RULES}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with every file that the cases name."""
    directory = tmp_path_factory.mktemp("lint")
    write_lab(directory)
    return directory


each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code, scope="module")
"""Its tests one after the other, so that what was looked at once is known to them all."""


@each_rule
def test_a_case_finds_what_is_marked_and_nothing_else(rule: Rule, lab: Path) -> None:
    """Line and code, for every nginx the case is about."""
    conf = lab / "nginx.conf"
    for case, version in _looks_of(rule):
        found = look(case.text, conf, version).found
        assert all(one.place.file == str(conf) for one in found), case
        assert {(one.place.line, one.rule.code) for one in found} == case.marks, (case, version)


@each_rule
def test_what_is_mended_is_found_no_more(rule: Rule, lab: Path) -> None:
    """After the edits of a case there is left at most what had none, and no other rule has begun to fire."""
    conf = lab / "nginx.conf"
    for case, version in _looks_of(rule):
        unmended = Counter(one.rule.code for one in look(case.text, conf, version).found if not one.has(MACHINE))
        again = look(mended(case, conf, version), conf, version).found
        assert Counter(one.rule.code for one in again) <= unmended, (case, version)


@each_rule
def test_every_finding_is_mended_by_an_edit_a_suggestion_or_a_command(rule: Rule, lab: Path) -> None:
    """Of the kinds that the catalogue tells; a suggestion that is taken, its placeholders filled in, silences it."""
    conf, kinds = lab / "nginx.conf", set(KINDS_ELSEWHERE.get(rule.code, ()))
    for case, version in _looks_of(rule):
        fixes = [one.fix for one in look(case.text, conf, version).found if one.rule is rule]
        assert None not in fixes, case
        kinds |= {fix.applicability for fix in fixes if fix}
        text = as_suggested(case, conf, version).get(rule.code, "")
        left = [one.fix for one in look(text, conf, version).found if one.rule is rule] if text else []
        assert all(fix and fix.applicability not in SUGGESTED for fix in left), (case, text)
    assert kinds == set(rule.fixes)
    assert (Applicability.COMMAND in kinds) == bool(rule.command)


def _looks_of(rule: Rule) -> list[tuple[Case, str]]:
    """Return the cases of a rule, each with every nginx it is about."""
    return [(case, version) for case in list_cases(rule.code) for version in case.versions]


def test_every_rule_has_a_firing_and_a_silent_case() -> None:
    """A rule that cannot be shown to fire, or to be silent, is none."""
    cases = list_cases()
    firing = {case.code for case in cases if any(code == case.code for _, code in case.marks)}
    silent = {case.code for case in cases if all(code != case.code for _, code in case.marks)}
    assert CODES - firing == set()
    assert CODES - silent == set()
    assert {case.code for case in cases} - CODES == set()


@pytest.mark.parametrize("path", sorted(RIGHT.glob("*.conf")), ids=lambda path: path.stem)
def test_no_rule_fires_on_a_right_configuration(path: Path, lab: Path) -> None:
    """The set-ups that this project recommends, and others as people publish them."""
    conf = lab / "nginx.conf"
    for version in VERSIONS:
        assert [f"{one.place}: {one.finding.message}" for one in look(path.read_text(), conf, version).found] == []
