"""Every fact about nginx names tests that exist, and every test of the matrix holds a fact."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "like-nginx.md"
TESTS = ROOT / "tests" / "integration" / "nginx_verify" / "test_answers.py"


def test_the_page_names_the_tests_there_are() -> None:
    """No more and no fewer."""
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text()))
    functions = (node for node in ast.parse(TESTS.read_text()).body if isinstance(node, ast.FunctionDef))
    assert named == {function.name for function in functions if function.name.startswith("test_")}


def test_the_paths_on_the_page_exist() -> None:
    """Of tests elsewhere."""
    for path in re.findall(r"`(tests/[\w/]+\.py)`", PAGE.read_text()):
        assert (ROOT / path).is_file(), path
