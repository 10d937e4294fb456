"""What ``report_json`` writes, as types: mypy holds what is written to them, and the schemas are made from them.

Loaded for the schemas alone, so the names in them stand for themselves and not behind ``TYPE_CHECKING``.
"""

from typing import Annotated, TypedDict

from msgspec import Meta

from counterseal.pki.path.check import Outcome

Time = Annotated[str, Meta(description="ISO 8601, UTC.", extra_json_schema={"format": "date-time"})]
Serial = Annotated[str, Meta(description="Serial number in hexadecimal.", pattern="^-?[0-9A-F]+$")]
Position = Annotated[int, Meta(ge=0, description="Counts along the path, 0 is the end entity.")]


class PathCheck(TypedDict):
    """One check of path validation; ``meaning`` says what a failed one means to a peer, ``fix`` what mends it.

    ``position`` is null where it is about the path as a whole, ``section`` is the standard's.
    """

    code: str
    title: str
    outcome: Outcome
    position: Position | None
    message: str
    section: str
    meaning: str | None
    fix: str | None


class PathCertificate(TypedDict):
    """One certificate of a path; names after RFC 4514."""

    subject: str
    issuer: str
    serial_number: Serial
    not_before: Time
    not_after: Time


class Path(TypedDict):
    """One path that was tried, end entity first; ``anchored``: it leads to a certificate that is trusted."""

    valid: bool
    anchored: bool
    certificates: list[PathCertificate]
    checks: list[PathCheck]
