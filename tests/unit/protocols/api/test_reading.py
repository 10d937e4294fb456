"""From a request to values: what is declared is read, everything else is a fault with its place."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest

from counterseal.errors import InputError
from counterseal.protocols.api.reading import read_idempotency_key, read_json, read_parameters


class Wanted(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Parameters."""

    name: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=9, description="How many.")] = 5
    all: Annotated[bool, msgspec.Meta(description="Whether all.")] = False


class Inner(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Part of a body."""

    names: list[str] = []


class Body(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A body."""

    inner: Inner
    count: int = 0


def test_text_stays_text() -> None:
    """``null`` and digits are names too; a number or a truth value is one only where one is declared."""
    assert read_parameters(Wanted, {"name": "null"}, [("limit", "7")]) == Wanted("null", 7)
    assert read_parameters(Wanted, {}, [("name", "12")]) == Wanted("12", 5)
    assert read_parameters(Wanted, {}, [("name", "true"), ("all", "true")]) == Wanted("true", all=True)


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ([("limit", "0")], "limit"),
        ([("limit", "ten")], "limit"),
        ([("limit", "1" * 30)], "limit"),
        ([("limit", "null")], "limit"),
        ([("limit", "true")], "limit"),
        ([("all", "1")], "all"),
        ([("all", "True")], "all"),
        ([("name", "a"), ("name", "b")], "name"),
        ([("nmae", "a")], "nmae"),
    ],
)
def test_a_parameter_that_does_not_fit(query: list[tuple[str, str]], where: str) -> None:
    """The finding names it."""
    with pytest.raises(InputError) as caught:
        read_parameters(Wanted, {}, query)
    assert (caught.value.code, caught.value.findings[0].where) == ("api.malformed", where)


def test_a_whole_number_is_an_integer() -> None:
    """However it is written; JSON Schema makes no difference."""
    assert read_json(Body, b'{"inner": {"names": ["1.0"]}, "count": 7.0}') == Body(Inner(["1.0"]), 7)


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b'{"inner": {"names": ["a", 7]}}', "/inner/names/1"),
        (b'{"inner": {"naems": []}}', "/inner/naems"),
        (b'{"inner": {}, "a/b~c": 1}', "/a~1b~0c"),
        (b'{"inner": {}, "count": "1"}', "/count"),
        (b'{"inner": {}, "count": 1.5}', "/count"),
        (b'{"inner": {}, "count": 1e400}', None),
        (b"[]", None),
        (b"", None),
        (b'{"inner": {}}x', None),
        (b'{"inner": {"names": ["\xff"]}}', None),
        (b'{"inner": {"names": ["\\ud800"]}}', None),
        (b"[" * 100_000, None),
    ],
)
def test_a_body_that_does_not_fit(content: bytes, where: str | None) -> None:
    """The finding has a JSON pointer to the place, where there is one."""
    with pytest.raises(InputError) as caught:
        read_json(Body, content)
    assert (caught.value.code, caught.value.findings[0].where) == ("api.malformed", where)


@pytest.mark.parametrize("value", ["", "x" * 256, "ä", "a\tb"])
def test_an_idempotency_key_that_is_none(value: str) -> None:
    """Up to 255 printable ASCII characters; without the header there is none."""
    with pytest.raises(InputError):
        read_idempotency_key(value)
    assert read_idempotency_key(None) is None
    assert read_idempotency_key('"8e03978e"') == '"8e03978e"'
