"""Whether a table of counterseal.toml has the shape that it should: its keys, and the types of their values.

A table is read key by key, so that every fault of it is told. Where one that is needed is missing or wrong, something
harmless stands in for it: what else is wrong with the table is found in the same run, and nobody is given the table.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import inspect

from counterseal.config.meant import hint_for_key, meant_key
from counterseal.config.raw import NESTED, STAND_INS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Note = Callable[[str, str, str | None], None]
    """Takes the path of a key (``sites.panel.listen``), what is wrong with it, and what mends it."""

StructT = TypeVar("StructT", bound=msgspec.Struct)
_LONGEST = 80
_WORDS = {
    inspect.ListType: "a list",
    inspect.BoolType: "true or false",
    inspect.IntType: "a whole number",
    inspect.StructType: "a table",
}
_BOOLEANS = {"on": True, "yes": True, "true": True, "1": True, "off": False, "no": False, "false": False, "0": False}


def read_table(content: object, kind: type[StructT], where: str, note: Note) -> StructT | None:
    """Return the table at ``where``, None where it is no table; what is wrong with it goes to ``note``."""
    if not isinstance(content, dict):
        note(where, f"must be a table: {shown(content)}", f"write its keys below [{where}]: {', '.join(_keys(kind))}")
        return None
    keys = _keys(kind)
    meant: dict[str, object] = {}
    for key in (key for key in content if key not in keys):
        dotted = f"[{where}.{key}] is a table in [{where}]: a name there has no dots; "
        hint = hint_for_key(key, keys)
        note(f"{where}.{key}", f"unknown key: {key!r}", dotted + hint if isinstance(content[key], dict) else hint)
        meant |= {other: content[key]} if (other := meant_key(key, keys)) and other not in content else {}
    read = {**content, **meant}
    values = {
        field.name: _value(read, field, f"{where}.{key}", _silence if key in meant else note)
        for key, field in keys.items()
    }
    return kind(**{name: value for name, value in values.items() if value is not msgspec.UNSET})


def _silence(_where: str, _message: str, _hint: str | None) -> None:
    """Take what is wrong with a value that stands under a wrong key, of which enough has been said."""


def shown(value: object) -> str:
    """Return a value about as it stands in the file, on one line and not too long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


@lru_cache
def _keys(kind: type[msgspec.Struct]) -> Mapping[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def _value(content: Mapping[str, object], field: msgspec.structs.FieldInfo, where: str, note: Note) -> Any:  # noqa: ANN401 - any field's
    """Return the value of a field, UNSET where its default holds."""
    key = field.encode_name
    otherwise = STAND_INS.get(where, STAND_INS.get(key)) if field.required else msgspec.UNSET
    if key not in content:
        if field.required:
            note(where, f"{key} is missing", f"write {key} = {shown(otherwise)}")
        return otherwise
    value = content[key]
    nested, expected = NESTED.get(key), inspect.type_info(field.type)
    if nested and isinstance(value, dict) and not isinstance(expected, inspect.ListType):
        return read_table(value, nested, where, note)
    if nested and isinstance(value, list) and isinstance(expected, inspect.ListType):
        read = (read_table(one, nested, f"{where}[{index}]", note) for index, one in enumerate(value))
        return [table for table in read if table is not None]
    try:
        return msgspec.convert(value, field.type)
    except msgspec.ValidationError:
        told = "..." if key == "url" else shown(value)  # there may be a password in it
        note(where, f"must be {_in_words(expected)}: {told}", _hint(value, field, where))
        return otherwise


def _hint(value: object, field: msgspec.structs.FieldInfo, where: str) -> str | None:
    """Return the same value in the form that was expected, where there is one."""
    if field.encode_name in NESTED:
        keys = ", ".join(_keys(NESTED[field.encode_name]))
        is_list = isinstance(inspect.type_info(field.type), inspect.ListType)
        return f"write [[{where}]] for each, with: {keys}" if is_list else f"its keys are: {keys}"
    for other in _other_forms(value):
        try:
            return f"write {field.encode_name} = {shown(msgspec.convert(other, field.type))}"
        except msgspec.ValidationError:
            continue
    return "write the word that is meant, in quotes" if isinstance(value, bool) else None


def _other_forms(value: object) -> Iterator[object]:
    if isinstance(value, list):
        yield [str(one) for one in value if not isinstance(one, list | dict)]
        yield from value if len(value) == 1 else ()
    elif not isinstance(value, dict):
        text = str(value).strip()
        yield from (form for word, form in _BOOLEANS.items() if word == text.lower())
        yield from (int(text),) if text.isdecimal() else ()
        yield from () if isinstance(value, bool) else (str(value), [str(value)])


def _in_words(expected: inspect.Type) -> str:
    match expected:
        case inspect.IntType(ge=int(least), le=int(most)):
            return f"a number from {least} to {most}"
        case inspect.UnionType(types=types):
            return " or ".join(_in_words(one) for one in types if not isinstance(one, inspect.NoneType))
    return _WORDS.get(type(expected), "text in quotes")
