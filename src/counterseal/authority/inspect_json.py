"""Inspected files as data for ``--json``; ``docs/inspect.md`` documents every field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from counterseal.authority.inspected import InspectedFile, Thing
    from counterseal.findings import Finding


def files_to_json(files: Sequence[InspectedFile]) -> list[dict[str, Any]]:
    """Return the files ready for JSON: times in ISO 8601, serial numbers and unknown DER in hex."""
    return [
        {
            "file": file.name,
            "bytes": file.size,
            "arrangement": file.arrangement,
            "findings": findings_to_json(file.findings),
            "things": [_thing(thing) for thing in file.things],
        }
        for file in files
    ]


def findings_to_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings ready for JSON, severities in lower case."""
    return [
        {
            "code": finding.code,
            "severity": finding.severity.name.lower(),
            "message": finding.message,
            "where": finding.where,
            "hint": finding.hint,
        }
        for finding in findings
    ]


def _thing(thing: Thing) -> dict[str, Any]:
    import msgspec  # noqa: PLC0415 - a twentieth of an inspection, and most are read by a person

    piece = thing.piece
    return {
        "kind": thing.kind.value,
        "place": thing.place,
        "part_of": thing.part_of,
        "encoding": piece.encoding.value if piece else None,
        "label": piece.label if piece else None,
        "line": piece.line if piece else None,
        "friendly_name": thing.friendly_name,
        "issued_by": thing.issued_by,
        "key_at": thing.key_at,
        "known_as": thing.known_as,
        "facts": msgspec.to_builtins(thing.facts),
        "findings": findings_to_json(thing.findings),
    }
