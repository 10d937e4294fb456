"""Reads the error codes out of the source: which exist, what they say, and where they are raised.

Works on syntax trees alone, so nothing is imported and nothing can run. An error is a call of a class from
``counterseal/errors.py`` (``InputError("csr.subject", ...)``). Its first argument is the code: a literal, or the name
of a parameter of the function around it, whose callers in the same module then give the literals. A message or hint
that was put aside under a name, on a line above, is read there.
"""

from __future__ import annotations

import ast
from collections import deque
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).resolve().parent.parent / "src" / "counterseal"


@dataclass(frozen=True, slots=True, order=True)
class ErrorUse:
    """One place that raises an error. ``code`` is None where it cannot be read from the source."""

    kind: str
    code: str | None
    message: str
    hint: str
    where: str


def read_kinds() -> dict[str, str]:
    """Map the name of every class in errors.py to the first line of its docstring."""
    tree = ast.parse((SOURCE / "errors.py").read_text())
    return {
        node.name: (ast.get_docstring(node) or "").partition("\n")[0]
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }


@cache
def read_uses() -> tuple[ErrorUse, ...]:
    """List every place in the source that makes one of our errors, sorted."""
    kinds = read_kinds()
    uses: list[ErrorUse] = []
    for path in sorted(SOURCE.rglob("*.py")):
        if path.name != "errors.py":
            uses += read_module(ast.parse(path.read_text()), str(path.relative_to(SOURCE)), kinds)
    return tuple(sorted(uses, key=lambda use: (use.kind, use.code or "", use.message, use.where)))


def read_module(tree: ast.Module, module: str, kinds: dict[str, str]) -> list[ErrorUse]:
    """List the places of one module; ``kinds`` has the names of the error classes."""
    uses = []
    for scope, call in _calls(tree):
        if _name(call.func) in kinds and call.args:
            where = f"{module}:{call.lineno}"
            message = show_text(_put_aside(call.args[1], scope, call)) if len(call.args) > 1 else ""
            hints = (_put_aside(keyword.value, scope, call) for keyword in call.keywords if keyword.arg == "hint")
            hint = next(map(_show_hint, hints), "")
            uses += [
                ErrorUse(_name(call.func), code, message, hint, where) for code in _codes(call.args[0], scope, tree)
            ]
    return uses


def _calls(tree: ast.Module) -> list[tuple[ast.FunctionDef | None, ast.Call]]:
    """Pair every call with the innermost function around it, breadth first."""
    calls: list[tuple[ast.FunctionDef | None, ast.Call]] = []
    ahead: deque[tuple[ast.FunctionDef | None, ast.AST]] = deque([(None, tree)])
    while ahead:
        scope, node = ahead.popleft()
        if isinstance(node, ast.Call):
            calls.append((scope, node))
        inner = node if isinstance(node, ast.FunctionDef) else scope
        ahead.extend((inner, child) for child in ast.iter_child_nodes(node))
    return calls


def _codes(argument: ast.expr, scope: ast.FunctionDef | None, tree: ast.Module) -> list[str | None]:
    match argument:
        case ast.Constant(value=str(code)):
            return [code]
        case ast.IfExp(body=body, orelse=orelse):
            return [*_codes(body, scope, tree), *_codes(orelse, scope, tree)]
        case ast.Name(id=name) if scope is not None:
            return _codes_of_callers(scope, name, tree) or [None]
    return [None]


def _codes_of_callers(function: ast.FunctionDef, parameter: str, tree: ast.Module) -> list[str | None]:
    names = [argument.arg for argument in function.args.args if argument.arg not in {"self", "cls"}]
    keyword_only = [argument.arg for argument in function.args.kwonlyargs]
    if parameter not in names + keyword_only:
        return []
    codes: list[str | None] = []
    for scope, call in _calls(tree):
        if _name(call.func) == function.name:
            given = {**dict(zip(names, call.args, strict=False)), **{k.arg: k.value for k in call.keywords if k.arg}}
            codes += _codes(given[parameter], scope, tree) if parameter in given else []
    return codes


def _put_aside(value: ast.expr, scope: ast.FunctionDef | None, call: ast.Call) -> ast.expr:
    """Return the text that a name surely has at the call, else the value as it stands."""
    if not isinstance(value, ast.Name) or scope is None:
        return value
    found: dict[int, ast.expr] = {}
    for statement in _before(scope, call):
        match statement:
            case ast.Assign(targets=[ast.Name(id=value.id)], value=given):
                found[statement.lineno] = given
            case _ if value.id in _set_in(statement):
                found[statement.lineno] = value
    last = found[max(found)] if found else value
    sides = (last.body, last.orelse) if isinstance(last, ast.IfExp) else (last,)
    return last if all(isinstance(one, ast.Constant | ast.JoinedStr | ast.BinOp) for one in sides) else value


def _set_in(statement: ast.stmt) -> set[str]:
    names = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
    return {node.id for node in names if isinstance(node.ctx, ast.Store)}


def _before(scope: ast.FunctionDef, call: ast.Call) -> Iterator[ast.stmt]:
    """Yield the statements that are carried out before a call: those above it in the blocks that it stands in."""
    for node in ast.walk(scope):
        for block in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
            if isinstance(block, list) and any(one.lineno <= call.lineno <= (one.end_lineno or 0) for one in block):
                yield from (one for one in block if (one.end_lineno or 0) < call.lineno)


def _name(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def show_text(value: ast.expr) -> str:
    """Write a message as documentation shows it: an f-string's values become ``<value>``."""
    match value:
        case ast.Constant(value=constant):
            return constant if isinstance(constant, str) else ""
        case ast.JoinedStr(values=parts):
            return "".join(show_text(part) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return show_text(left) + show_text(right)
        case ast.IfExp(body=body, orelse=orelse):
            return " / ".join(text for text in (show_text(body), show_text(orelse)) if text)
        case ast.FormattedValue(value=inner):
            return f"<{_label(inner)}>"
    return f"<{_label(value)}>"


def _show_hint(value: ast.expr) -> str:
    if isinstance(value, ast.Call) and _name(value.func) == "hint_for":
        return "the one that was probably meant, or those there are"
    return "(depends on the cause)" if isinstance(value, ast.Call | ast.Name | ast.Attribute) else show_text(value)


def _label(value: ast.expr) -> str:
    """Name a value by its last word: ``error.path`` is path, ``_short(text)`` is text, ``len(rows)`` number of rows."""
    match value:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_").lower().replace("_", " ")
        case ast.Call(func=ast.Name(id="len"), args=[inner]):
            return f"number of {_label(inner)}"
        case ast.Call(args=[inner, *_]):
            return _label(inner)
        case ast.Call(func=ast.Attribute(value=inner)) | ast.Subscript(value=inner) | ast.BoolOp(values=[inner, *_]):
            return _label(inner)
    return "value"
