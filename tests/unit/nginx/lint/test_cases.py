"""Every rule fires on its bad cases, at the marked lines, and on nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.nginx.lint.build import build
from counterseal.nginx.lint.catalogue import RULES
from counterseal.nginx.lint.engine import lint
from counterseal.nginx.lint.gather import gather_files
from counterseal.nginx.reading import read_configuration
from counterseal.nginx.version import named_version
from nginx_lint_lab import NOW, RIGHT, VERSIONS, Case, list_cases, write_lab

if TYPE_CHECKING:
    from pathlib import Path

CODES = {rule.code for rule in RULES}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with every file that the cases name."""
    directory = tmp_path_factory.mktemp("lint")
    write_lab(directory)
    return directory


@pytest.mark.parametrize("case", list_cases(), ids=str)
def test_a_case_finds_what_is_marked_and_nothing_else(case: Case, lab: Path) -> None:
    """Line and code, for every nginx the case is about."""
    conf = lab / "nginx.conf"
    whole = read_configuration(conf, overlay={str(conf): case.text})
    files = gather_files(whole.tree, lab)
    for version in case.versions:
        model = build(whole.tree, version=named_version(version), now=NOW, files=files)
        found = lint(model, whole.texts).found
        assert all(one.place.file == str(conf) for one in found)
        assert {(one.place.line, one.rule.code) for one in found} == case.marks, version


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
    whole = read_configuration(conf, overlay={str(conf): path.read_text()})
    for version in VERSIONS:
        model = build(whole.tree, version=named_version(version), now=NOW, files=gather_files(whole.tree, lab))
        assert [f"{one.place}: {one.finding.message}" for one in lint(model, whole.texts).found] == []
