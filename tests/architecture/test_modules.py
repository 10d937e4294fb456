"""Every module says what it decides, stays small, and fails with our own errors."""

from __future__ import annotations

import ast

from architecture.source_tree import Module, dotted, read_modules

LONGEST_MODULE = 300
LONGEST_FUNCTION = 40
BARE = {"BaseException", "Exception", "RuntimeError", "ValueError"}


def find_long_functions(module: Module) -> list[str]:
    """List the functions over the limit; signature and body count, the docstring does not."""
    return [
        f"{module.path}:{node.lineno} {node.name}: {length} lines"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (length := measure(node)) > LONGEST_FUNCTION
    ]


def measure(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines from ``def`` to the end, without the docstring."""
    documented = function.body[0] if ast.get_docstring(function) else None
    docstring = (documented.end_lineno or 0) - documented.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def find_bare_raises(module: Module) -> list[str]:
    """List the raises of errors that say nothing to an edge."""
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if dotted(raised) in BARE:
                found.append(f"{module.path}:{node.lineno} raise {dotted(raised)}")
    return found


def test_every_module_has_a_docstring() -> None:
    """A module opens with what it decides."""
    assert [module.path for module in read_modules() if not ast.get_docstring(module.tree)] == []


def test_no_module_is_too_long() -> None:
    """A module of more than 300 lines is two rooms."""
    lengths = {module.path: module.text.count("\n") for module in read_modules()}
    assert {path: length for path, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_no_function_is_too_long() -> None:
    """A function of more than 40 lines is two functions."""
    assert [found for module in read_modules() for found in find_long_functions(module)] == []


def test_the_measure_leaves_out_the_docstring() -> None:
    """Forty lines pass beside any docstring, forty-one do not."""
    for body, expected in ((39, 0), (40, 1)):
        text = 'def f() -> None:\n    """One.\n\n    Two.\n    """\n' + "    pass\n" * body
        assert len(find_long_functions(Module("x.py", text))) == expected


def test_no_bare_error_is_raised() -> None:
    """What is raised on purpose is one of our errors, which carry a code and a hint."""
    assert [found for module in read_modules() for found in find_bare_raises(module)] == []


def test_a_bare_error_is_found() -> None:
    """Both spellings of a bare raise are seen, a re-raise and our own errors are not."""
    text = "raise ValueError('x')\nraise RuntimeError\nraise InputError('a.b', 'c')\nraise\n"
    assert find_bare_raises(Module("x.py", text)) == ["x.py:1 raise ValueError", "x.py:2 raise RuntimeError"]
