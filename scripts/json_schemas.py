"""The JSON Schema (2020-12) of what a command prints under ``--json``, made from the types that the command writes.

The objects are left open, because later versions may add keys; the tests close them (``tests/schemas.py``).

usage: json_schemas.py > tests/cases/json_keys.txt, at a release: what is printed is promised from then on.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from counterseal.cli.common import JSON_VERSION
from counterseal.cli.documents import DOCUMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

Schema = dict[str, Any]


def schema_of(command: str) -> Schema:
    """Return the schema of one command's document, ``version`` included."""
    _, components = msgspec.json.schema_components([DOCUMENTS[command]], ref_template="#/$defs/{name}")
    whole = _in_lines(components.pop(DOCUMENTS[command].__name__))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **whole,
        "title": "any command that fails, --json" if command == "error" else f"counterseal {command} --json",
        "properties": {"version": {"const": JSON_VERSION}, **whole["properties"]},
        "required": ["version", *whole["required"]],
        "$defs": {name: _in_lines(component) for name, component in components.items()},
    }


def write_schemas() -> dict[str, str]:
    """Return the schemas as text, by command."""
    return {command: json.dumps(schema_of(command), indent=1, ensure_ascii=False) + "\n" for command in DOCUMENTS}


def _in_lines(component: Schema) -> Schema:
    """Return the component with its docstring as a sentence, without line ends and marks."""
    described = " ".join(component.get("description", "").split()).replace("``", "`")
    return {**component, "description": described} if described else component


def keys_of(command: str) -> dict[str, set[str]]:
    """Return what stands at each place, as in ``handshake.handshake.ladder[].size``: types, or fixed words in quotes.

    ``missing`` is among them where the key may be.
    """
    schema = schema_of(command)
    return dict(_keys(schema, schema, command))


def _keys(schema: Schema, whole: Schema, place: str) -> Iterator[tuple[str, set[str]]]:
    """Yield this place, then those within."""
    choices = [_resolved(one, whole) for one in schema.get("anyOf", [schema])]
    yield place, {word for one in choices for word in _words(one)}
    for one in choices:
        for key, value in one.get("properties", {}).items():
            (where, words), *inner = _keys(value, whole, f"{place}.{key}")
            yield where, words if key in one["required"] else words | {"missing"}
            yield from inner
        for mark, inside in (("[]", one.get("items")), ("{}", one.get("additionalProperties"))):
            if inside:
                yield from _keys(inside, whole, place + mark)


def _resolved(schema: Schema, whole: Schema) -> Schema:
    return whole["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _words(schema: Schema) -> Iterator[str]:
    fixed = [schema["const"]] if "const" in schema else schema.get("enum", [])
    yield from map(json.dumps, fixed) if fixed else [schema["type"]]


if __name__ == "__main__":
    for each in DOCUMENTS:
        for place, words in keys_of(each).items():
            print(f"{place}: {' | '.join(sorted(words))}")
