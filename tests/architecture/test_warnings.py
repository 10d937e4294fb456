"""What must not be lost is told on stderr under ``--json`` too: by ``Run.warn`` and ``Run.tell``, not ``Run.say``."""

from __future__ import annotations

import ast

import pytest

from architecture.source_tree import read_modules

TOLD = ("warning: ", "error: ", "note: ")


def lost(tree: ast.Module) -> list[int]:
    """Return the lines where something that begins so is said by what is silent under ``--json``."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".say") and node.args
        if _beginning(node.args[0]).startswith(TOLD)
    ]


def _beginning(text: ast.expr) -> str:
    first = text.values[0] if isinstance(text, ast.JoinedStr) else text
    return str(first.value) if isinstance(first, ast.Constant) else ""


def test_no_warning_is_lost() -> None:
    """In the whole command line."""
    found = [f"{one.path}:{line}" for one in read_modules() if one.path.startswith("cli/") for line in lost(one.tree)]
    assert found == []


@pytest.mark.parametrize("line", ['run.say("warning: x")', 'run.say(f"note: {x}")', 'self.say(f"error: {x}")'])
def test_one_would_be_found(line: str) -> None:
    """However it is written."""
    assert lost(ast.parse(line)) == [1]
