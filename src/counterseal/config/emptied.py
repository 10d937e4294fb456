"""Lists that have lost their last entry: counterseal.toml may not have them, of which an older one may be in force."""

from __future__ import annotations

from typing import Any

_LISTS = frozenset({"allow", "client_cas", "permitted_domains"})


def without_empty(table: dict[str, Any]) -> dict[str, Any]:
    """Return a file of before without its empty lists, which meant the same as a line that is not there.

    A revocation goes to nginx by what is in force, whatever of it is refused today.
    """
    return {key: _inner(value) for key, value in table.items() if not (key in _LISTS and _is_empty(value))}


def _inner(value: object) -> object:
    if isinstance(value, list):
        return [_inner(one) for one in value]
    return without_empty(value) if isinstance(value, dict) else value


def _is_empty(value: object) -> bool:
    return not any(value.values()) if isinstance(value, dict) else value == []
