"""What ``--json`` prints beside ``version``, as types: mypy holds what the commands write to them.

The schemas in ``docs/schemas`` are made from them. Loaded for these alone, so the names in them stand for themselves
and not behind ``TYPE_CHECKING``.
"""

from typing import Annotated, TypedDict

from msgspec import Meta

from counterseal.authority.doctor.check import State as Health
from counterseal.authority.timeline.gather import Kind, State
from counterseal.authority.verification_shapes import Verified
from counterseal.handshake.explanation_shapes import Arrival, Handshake
from counterseal.handshake.proof_shapes import Proof
from counterseal.pki.path.report_shapes import Time


class HandshakeDocument(TypedDict):
    """What ``counterseal handshake --json`` prints."""

    handshake: Handshake


class ListenDocument(TypedDict):
    """A line of what ``counterseal listen --json`` prints: one a connection."""

    arrival: Arrival


class VerifyDocument(TypedDict):
    """What ``counterseal verify --json`` prints."""

    verify: Verified


class ProveDocument(TypedDict):
    """What ``counterseal prove --json`` prints; ``passed``: every row of every site is as expected."""

    passed: bool
    proofs: list[Proof]


class DoctorCheck(TypedDict):
    """A line of the page: ``subject`` says which one of several, ``mend`` what mends it; null where it is ok."""

    check: str
    subject: str | None
    state: Health
    message: str
    mend: str | None


class DoctorDocument(TypedDict):
    """What ``counterseal doctor --json`` prints; ``state`` is the worst of all."""

    state: Health
    checks: list[DoctorCheck]


class Span(TypedDict):
    """Something that ends; ``due`` is the moment from which it is to be replaced, null where nobody does that."""

    kind: Kind
    name: str
    note: str
    begin: Time
    end: Time
    due: Time | None
    seconds_left: Annotated[int, Meta(description="Negative behind the end.")]
    state: State


class ProfileCounts(TypedDict):
    """How many certificates of a profile expire in each period."""

    profile: str
    total: int
    counts: list[int]


CountedCertificates = TypedDict(
    "CountedCertificates", {"total": int, "from": list[Time], "profiles": list[ProfileCounts]}
)
"""All valid certificates by when they expire: ``from`` are the moments at which the periods begin."""


class TimelineDocument(TypedDict):
    """What ``counterseal timeline --json`` prints: what expires when; ``svg`` is the file that was asked for."""

    at: Time
    spans: list[Span]
    certificates: CountedCertificates
    svg: str | None


class ErrorFinding(TypedDict):
    """One of several faults; ``where`` says in what, null where it is about the whole.

    In counterseal.toml it is the path of the key, and ``line`` its line, from 1; elsewhere that is null.
    """

    code: str
    where: str | None
    line: int | None
    message: str
    hint: str | None


class Error(TypedDict):
    """What failed: ``code`` does not change between versions (``command.usage``: the command line is wrong), texts may.

    ``findings`` are every fault where there can be several, ``candidates`` what an ambiguous name stands for, ``nginx``
    is its own line, ``advice`` what to look at after a deploy that failed.
    """

    code: str
    message: str
    hint: str | None
    findings: list[ErrorFinding]
    candidates: list[str]
    nginx: str | None
    advice: list[str]


class ErrorDocument(TypedDict):
    """What any command prints under ``--json`` when it fails; the words on stderr are the same."""

    error: Error


DOCUMENTS = {
    "handshake": HandshakeDocument,
    "listen": ListenDocument,
    "verify": VerifyDocument,
    "prove": ProveDocument,
    "doctor": DoctorDocument,
    "timeline": TimelineDocument,
    "error": ErrorDocument,
}
"""By command; ``error`` is of every one."""
