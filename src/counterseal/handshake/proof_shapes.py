"""What ``proof_json`` writes, as types: mypy holds what is written to them, and the schema is made from them.

Loaded for the schema alone, so the names in them stand for themselves and not behind ``TYPE_CHECKING``.
"""

from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from counterseal.handshake.observation import TLSVersion
from counterseal.handshake.rows import RowKind

Seconds = Annotated[float, Meta(ge=0)]


class ProofRow(TypedDict):
    """One client that knocked; ``tls`` is null over plain HTTP, and texts where they do not apply."""

    kind: RowKind
    title: str
    site: str
    endpoint: str
    tls: TLSVersion | None
    expected: str
    observed: str
    result: Literal["passed", "failed", "skipped"]
    skipped: str | None
    cause: str | None
    fix: str | None
    why: str
    seconds: Seconds


class Proof(TypedDict):
    """The proof of one site."""

    site: str
    passed: bool
    seconds: Seconds
    rows: list[ProofRow]
