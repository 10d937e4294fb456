"""Every error code can be looked up: it is spelt one way, and can be read from the source."""

from __future__ import annotations

import ast
import re

import error_codes
from counterseal import errors
from counterseal.cli.run import report

BRANCH = re.compile(r"((?:\|   |    )*)\+-- (\w+).*?(?:\(exit code (\d)\))?")
CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*(\.[a-z0-9]+(_[a-z0-9]+)*)+")


def test_every_error_code_can_be_read_from_the_source() -> None:
    """A code is a literal where it is raised, or where the raising function is called."""
    assert [f"{use.where} {use.kind}" for use in error_codes.read_uses() if use.code is None] == []


def test_the_tree_at_the_top_of_the_errors_is_the_one_below() -> None:
    """Every class stands under the one that it is made from, with the exit code that a command ends with."""
    drawn: dict[str, tuple[str, int]] = {}
    above = ["CountersealError"]
    for branch in filter(None, map(BRANCH.fullmatch, (errors.__doc__ or "").splitlines())):
        indent, name, code = branch.groups()
        del above[len(indent) // 4 :]
        drawn[name] = (above[-1], int(code) if code else drawn[above[-1]][1])
        above.append(name)
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind is not errors.CountersealError]
    more = {"AmbiguousError": {"candidates": ()}}
    codes = {kind: report(kind("test.error", "a test", **more.get(kind.__name__, {}))) for kind in kinds}
    assert drawn == {kind.__name__: (kind.mro()[1].__name__, codes[kind]) for kind in kinds}


def test_error_codes_are_dotted_and_lower_case() -> None:
    """A code is ``room.what``, in words that can be searched for."""
    codes = {use.code: use.where for use in error_codes.read_uses() if use.code is not None}
    assert {code: where for code, where in codes.items() if not CODE.fullmatch(code)} == {}


def test_every_error_has_a_message() -> None:
    """No error goes out with a code alone."""
    assert [f"{use.where} {use.code}" for use in error_codes.read_uses() if not use.message] == []


def test_a_code_is_followed_through_the_function_that_raises_it() -> None:
    """Where a helper raises with the code it was given, the codes of its callers count."""
    text = """
def refuse(code, what):
    raise InputError(code, f"no: {what}", hint="so" if what else None)

def use(a):
    refuse("a.one", 1)
    refuse(what=2, code="a.two")
    raise InputError("b.one" if a else "b.two", f"it is {len(a)} of {a.LIMIT!r}")
"""
    uses = error_codes.read_module(ast.parse(text), "x.py", {"InputError": ""})
    assert [(use.code, use.message, use.hint) for use in uses] == [
        ("a.one", "no: <what>", "so"),
        ("a.two", "no: <what>", "so"),
        ("b.one", "it is <number of a> of <limit>", ""),
        ("b.two", "it is <number of a> of <limit>", ""),
    ]


def test_a_text_that_was_put_aside_is_read() -> None:
    """The last one above, unless it depends on a branch or on something else than text."""
    text = """
def use(a, given):
    told, hint = f"no: {a}", "x"
    told = f"not: {a}"
    if a:
        hint = "if so"
        raise InputError("a.one", told, hint=hint)
    raise InputError("a.two", told, hint=hint)

def also(a, given):
    hint = "first"
    hint += more(a)
    told = show(a)
    raise InputError("b.one", told, hint=hint)
    raise InputError("b.two", given)
    given = "after it"
"""
    uses = error_codes.read_module(ast.parse(text), "x.py", {"InputError": ""})
    assert [(use.code, use.message, use.hint) for use in uses] == [
        ("a.two", "not: <a>", "(depends on the cause)"),
        ("b.one", "<told>", "(depends on the cause)"),
        ("b.two", "<given>", ""),
        ("a.one", "not: <a>", "if so"),
    ]


def test_a_code_that_is_computed_is_reported() -> None:
    """A code put together at run time cannot be looked up, so it is listed as unreadable."""
    uses = error_codes.read_module(ast.parse("raise InputError(f'a.{b}', 'x')"), "x.py", {"InputError": ""})
    assert [use.code for use in uses] == [None]
