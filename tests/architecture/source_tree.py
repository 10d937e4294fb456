"""The source as syntax trees, for tests that hold every module to a rule."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "src" / "counterseal"


@dataclass(frozen=True)
class Module:
    """One file of the package: its path below ``src/counterseal``, its text and its tree."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed text."""
        return ast.parse(self.text)


@cache
def read_modules() -> tuple[Module, ...]:
    """Read every module of the package, sorted by path."""
    return tuple(Module(path.relative_to(SOURCE).as_posix(), path.read_text()) for path in sorted(SOURCE.rglob("*.py")))


def dotted(node: ast.expr) -> str:
    """Write the last two names of what is called: ``datetime.now``, ``PrivateKey.generate``, ``open``."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=name) | ast.Attribute(attr=name), attr=attribute):
            return f"{name}.{attribute}"
        case ast.Attribute(attr=attribute):
            return attribute
    return ""
