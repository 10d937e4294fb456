"""What each rule warns of is shown on a running nginx: the tables of ``tests/dangers`` have them all."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from counterseal.nginx.lint.catalogue import RULES
from dangers import DANGERS, NOT_SHOWN, OF_MODULES, SHOWN_ELSEWHERE
from nginx_lint_lab import CASES, Case

if TYPE_CHECKING:
    from nginx_dangers import Danger

SHOWING = Path(__file__).parents[3] / "integration" / "nginx_lint"


def test_every_rule_is_shown_or_it_is_said_why_not() -> None:
    """In one of three ways."""
    in_tables = {danger.code for danger in DANGERS}
    assert in_tables | SHOWN_ELSEWHERE.keys() | NOT_SHOWN.keys() == {rule.code for rule in RULES}
    assert in_tables & SHOWN_ELSEWHERE.keys() | in_tables & NOT_SHOWN.keys() == set()


@pytest.mark.parametrize("danger", [*DANGERS, *OF_MODULES], ids=str)
def test_a_danger_is_one_that_the_rule_finds(danger: Danger) -> None:
    """It fires on the case that does harm, not on the one that does none, and the two answers differ."""
    bad, good = (Case(CASES / danger.code / f"{name}.conf") for name in (danger.bad, danger.good))
    assert danger.code in {code for _, code in bad.marks}
    assert danger.code not in {code for _, code in good.marks}
    assert danger.before != danger.after


@pytest.mark.parametrize(("code", "module"), SHOWN_ELSEWHERE.items())
def test_what_is_shown_elsewhere_is_named_there(code: str, module: str) -> None:
    """By its code, as a value: a comment or a docstring shows nothing."""
    nodes = ast.walk(ast.parse((SHOWING / module).read_text()))
    assert code in {node.value for node in nodes if isinstance(node, ast.Constant)}
