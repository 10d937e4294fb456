"""The documents point at things that are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

import error_codes
from architecture.source_tree import ROOT, Module, read_modules

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
EXPLANATIONS = [ROOT / "docs" / "architecture.md", *sorted((ROOT / "docs" / "decisions").glob("*.md"))]
NAMED = re.compile(r"`([a-z_]+(?:[./][A-Za-z_]+)+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def list_headings(text: str) -> set[str]:
    """Return the anchors of a page, spelt as code forges spell them."""
    without_code = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", without_code, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    """A link to a file or a heading of ours finds it."""
    broken = []
    for link in LINK.findall(document.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in list_headings(target.read_text())):
            broken.append(link)
    assert broken == []


def names_in(module: Module) -> set[str]:
    """Return what a module defines, inside of its classes too."""
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    names = {node.name for node in ast.walk(module.tree) if isinstance(node, defined)}
    bound = (node for node in ast.walk(module.tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    return names | {node.id for node in bound}


@cache
def whatever_has_a_name() -> frozenset[str]:
    """Return error codes, modules and what is in them, dotted, with all or some of the rooms before them."""
    known = {use.code for use in error_codes.read_uses() if use.code is not None}
    for module in read_modules():
        path = module.path.removesuffix(".py").removesuffix("/__init__").split("/")
        ends = [".".join(path[begin:]) for begin in range(len(path))]
        names = names_in(module)
        known |= {*ends, *(f"{end}.{name}" for end in ends for name in names)}
    return frozenset(known)


@pytest.mark.parametrize("page", EXPLANATIONS, ids=lambda path: path.name)
def test_what_an_explanation_names_is_there(page: Path) -> None:
    """A module, something in it, or an error that an explanation calls by its name has that name still."""
    named = (one.removesuffix(".py").replace("/", ".") for one in NAMED.findall(page.read_text()))
    assert [one for one in named if one not in whatever_has_a_name()] == []
