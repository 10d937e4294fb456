"""No secret is shown by showing what holds it: in a traceback, a log, a debugger."""

from __future__ import annotations

import ast
import re

import msgspec

from architecture.source_tree import Module, read_modules
from counterseal.protocols.api.wishes import Kept

SECRET = re.compile(r"(^|_)(password|passphrase|secret|private_key)$")
TEXT = re.compile(r"\b(str|bytes|Password)\b")
SILENT = {"Sealed", "TypedDict"}  # the one shows nothing of what it says; the other is a dictionary


def find_shown_secrets(module: Module) -> list[str]:
    """List the fields whose names say that they hold a secret, and that a ``repr`` would show."""
    return [
        f"{module.path}:{field.lineno} {owner.name}.{field.target.id}"
        for owner in ast.walk(module.tree)
        if isinstance(owner, ast.ClassDef) and not SILENT & {ast.unparse(base) for base in owner.bases}
        for field in owner.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if SECRET.search(field.target.id) and TEXT.search(ast.unparse(field.annotation))
        if field.value is None or "repr=False" not in ast.unparse(field.value)
    ]


def test_no_secret_is_shown() -> None:
    """Of dataclasses, named tuples and structures."""
    assert [found for module in read_modules() for found in find_shown_secrets(module)] == []


def test_a_shown_secret_is_found() -> None:
    """But neither the file of one nor a key of the library, which shows nothing of itself."""
    text = (
        "class A(Sealed):\n    secret: str\n"
        "class B:\n    password: str | None = None\n    secret: bytes = field(repr=False)\n"
        "    password_file: str\n    private_key: RSAPrivateKey\n"
    )
    assert find_shown_secrets(Module("x.py", text)) == ["x.py:4 B.password"]


def test_what_is_sealed_shows_nothing() -> None:
    """And is read and written as before."""
    kept = Kept("clients", "01", b"the key", "the password")
    assert repr(kept) == "<Kept>"
    assert msgspec.json.decode(msgspec.json.encode(kept), type=Kept) == kept
