"""Every error code that docs/errors.md promises is looked for by a test: by itself, or by the words it comes with."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

import error_codes
from architecture.source_tree import ROOT

if TYPE_CHECKING:
    from collections.abc import Collection

TESTS = ROOT / "tests"
SHORTEST = 12
"""Fewer characters are no message: ``not a name`` may be of anything."""

CODE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*(?:\.[a-z0-9]+(?:_[a-z0-9]+)*)+")
VALUE = re.compile(r"<[^>]*>")
LONG = re.compile(r'""".*?"""', re.DOTALL)
QUOTED = re.compile(r"""\"((?:[^"\\\n]|\\.)*)\"|'((?:[^'\\\n]|\\.)*)'""")

EXCEPTIONS = {
    "ca.not_admitted": "nginx has to refuse a deploy while a CA is retired; revoke.not_in_force comes of the same",
    "crl.not_in_force": "nginx has to refuse a deploy while a list is taken; revoke.not_in_force comes of the same",
    "deploy.rollback_failed": "a deploy and its way back have to fail, one after the other",
    "deploy.switch_failed": "the disk has to fail between two renames in one directory",
    "http.head": "it never leaves the parser; tests/integration/serve/test_http.py looks at what clients are answered",
    "key.costly": "an encrypted key that would take hours to open; pkcs12.costly is the same bound",
    "lint.refused": "the CA has to assemble a certificate that its own linter refuses",
    "renew.purpose": "an imported certificate for servers and clients alike, kept by openssl ca",
    "revoke.not_published": "a CA's key has to fail between a revocation, before which it was opened, and its list",
    "store.no_wal": "a file system on which SQLite cannot share memory",
}
"""Codes that no test looks for yet, and what that would take."""


@cache
def literals() -> frozenset[str]:
    """Return the texts in the tests, but for docstrings and what is in this directory."""
    files = [path for path in TESTS.rglob("*.py") if path.parent.name != "architecture"]
    return frozenset(text for path in files for text in texts_in(path.read_text()))


def texts_in(source: str) -> list[str]:
    """Return what stands in quotes, as it is written."""
    return [one or other for one, other in QUOTED.findall(LONG.sub("", source))]


def quoted(pieces: Collection[str], texts: Collection[str]) -> set[str]:
    """Return those pieces of messages that stand in a text, whole, or of which a text is a part."""
    whole, everything = "\n".join(texts), "\n".join(pieces)
    parts = [text for text in (one.strip(" :.") for one in texts) if len(text) >= SHORTEST and text in everything]
    return {piece for piece in pieces if piece in whole or any(part in piece for part in parts)}


def pieces_of(message: str) -> set[str]:
    """Return what stands between the values of a message."""
    return {piece for one in VALUE.split(message) if len(piece := one.strip(" :;,.'()")) >= SHORTEST}


def test_every_code_is_looked_for() -> None:
    """A code never changes afterwards, and what nobody looks for may."""
    texts = literals()
    named = {code for text in texts for code in CODE.findall(text)}
    pieces: defaultdict[str, set[str]] = defaultdict(set)
    for use in error_codes.read_uses():
        pieces[use.code or ""] |= pieces_of(use.message)
    held = quoted({piece for code, some in pieces.items() if code not in named for piece in some}, texts)
    assert {code for code, some in pieces.items() if code not in named and some.isdisjoint(held)} == EXCEPTIONS.keys()


def test_words_are_found_whole_or_in_part() -> None:
    """Values stand between them; a few characters prove nothing, and a docstring even less."""
    (piece,) = pieces_of("no such generation: <number> of <site>")
    assert quoted({piece}, {"error: no such generation: 7 of x"}) == quoted({piece}, {"such generation"}) == {piece}
    assert quoted({piece}, {"no such", "of", ""}) == set()
    assert texts_in('def f():\n    """No such thing."""\n    return "a b" + \'c "d"\'\n') == ["a b", 'c "d"']
