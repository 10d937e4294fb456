"""From a request to the values that its operation declares; every fault says where it is. PURE.

A parameter or a field that is not declared is a fault too, so that a misspelt one is never silently ignored.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, TypeVar

import msgspec
import msgspec.inspect

from counterseal.errors import InputError
from counterseal.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T", bound=msgspec.Struct)

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<place>\$[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"^Object contains unknown field `(.*)`$", re.DOTALL)
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_BOOLEANS = {"true": True, "false": False}
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
KEY_LIMIT = 255


def read_parameters(kind: type[T], path: Mapping[str, str], query: Iterable[tuple[str, str]]) -> T:
    """Return the parameters; raises InputError ``api.malformed``."""
    given: dict[str, str] = dict(path)
    for name, value in query:
        if name in given:
            raise _malformed(f"parameter is given twice: {name}", name)
        given[name] = value
    try:
        return msgspec.convert({name: _value(kind, name, text) for name, text in given.items()}, kind)
    except msgspec.ValidationError as error:
        what, pointer = _told(error)
        name = pointer.strip("/")
        raise _malformed(f"parameter is not as declared: {name or what}", name, what) from None


def _value(kind: type[msgspec.Struct], name: str, text: str) -> str | int:
    """Return a parameter's text as what it is declared to be; msgspec itself would take ``null`` for None."""
    declared = _declared(kind).get(name)
    if declared is msgspec.inspect.IntType and _INTEGER.fullmatch(text):
        return int(text)
    return _BOOLEANS.get(text, text) if declared is msgspec.inspect.BoolType else text


@cache
def _declared(kind: type[msgspec.Struct]) -> dict[str, type[msgspec.inspect.Type]]:
    declared = msgspec.inspect.type_info(kind)
    fields = declared.fields if isinstance(declared, msgspec.inspect.StructType) else ()
    return {one.name: type(_bare(one.type)) for one in fields}


def _bare(kind: msgspec.inspect.Type) -> msgspec.inspect.Type:
    return _bare(kind.type) if isinstance(kind, msgspec.inspect.Metadata) else kind  # with a description


def read_json(kind: type[T], content: bytes) -> T:
    """Return the body; raises InputError ``api.malformed``."""
    try:
        return msgspec.convert(_whole(msgspec.json.decode(content)), kind)
    except msgspec.ValidationError as error:
        what, pointer = _told(error)
        raise _malformed(f"the body is not as declared: {what}", pointer, what) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _malformed(f"the body is not JSON: {error}") from None
    except RecursionError:
        raise _malformed("the body is nested too deeply") from None


def _whole(value: object) -> object:
    """Return the value with each whole number as an integer: in JSON Schema ``1.0`` is one too."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_whole(one) for one in value]
        case dict():
            return {name: _whole(one) for name, one in value.items()}
    return value


def read_idempotency_key(value: str | None) -> str | None:
    """Return the key of the header as it was sent, quoted or not; raises InputError ``api.malformed``."""
    if value is not None and not (1 <= len(value) <= KEY_LIMIT and value.isascii() and value.isprintable()):
        what = f"must be 1 to {KEY_LIMIT} printable ASCII characters"
        raise _malformed(f"parameter is not as declared: Idempotency-Key {what}", "Idempotency-Key", what)
    return value


def unwanted_body() -> InputError:
    """Return the error ``api.malformed`` for a body that the operation does not have."""
    return _malformed("this request takes no body")


def _told(error: msgspec.ValidationError) -> tuple[str, str]:
    """Return what is wrong, and where as a JSON pointer: ``$.names[0]`` is ``/names/0``."""
    found = _PLACE.match(str(error))
    what, place = (found["what"], found["place"] or "") if found else (str(error), "")
    steps = [name or index for name, index in _STEP.findall(place.removeprefix("$"))]
    unknown = _UNKNOWN.match(what)
    steps += [unknown[1].replace("~", "~0").replace("/", "~1")] if unknown else []
    return what, "".join(f"/{step}" for step in steps)


def _malformed(message: str, where: str = "", what: str | None = None) -> InputError:
    finding = Finding("api.malformed", Severity.CRITICAL, what or message, where=where or None)
    return InputError("api.malformed", message, findings=[finding], hint="the API is described in /v1/openapi.json")
