"""How the work of the linter grows: with the lines of a configuration, whatever is much in it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from nginx_shapes import MAIN, SHAPES

from counterseal.nginx.lint.build import build
from counterseal.nginx.lint.engine import lint
from counterseal.nginx.reading import read_configuration
from counterseal.nginx.version import named_version
from nginx_lint_lab import NOW

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

FEW, MANY = 200, 800
LEAST_GROWTH, MOST_GROWTH = 1.5, 1.06 * MANY / FEW
"""What does not grow at all is not looked at; a few look-ups in what is sorted may grow by a little more."""


def count_calls(texts: Mapping[str, str]) -> int:
    """Return how many functions are called, Python's own and those in C, to find what is wrong in a configuration."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:  # noqa: ANN401 - sys.setprofile's signature
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        whole = read_configuration(Path("/conf", MAIN), overlay={f"/conf/{name}": text for name, text in texts.items()})
        lint(build(whole.tree, version=named_version("1.28.0"), now=NOW), whole.texts)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("shape", SHAPES)
def test_the_work_grows_with_the_lines(shape: str) -> None:
    """Four times as many lines are at most four times as many calls: nothing is compared pair by pair."""
    few, many = (count_calls(SHAPES[shape](lines)) for lines in (FEW, MANY))
    assert LEAST_GROWTH < many / few < MOST_GROWTH
