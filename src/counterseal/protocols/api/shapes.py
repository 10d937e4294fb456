"""What the API answers, as types: the OpenAPI document is made from them, and answers are checked against it in tests.

The values are those of ``authority.record_json``, the same as after ``--json`` on the command line.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Described = msgspec.Meta
Time = Annotated[str, Described(description="ISO 8601, UTC.", extra_json_schema={"format": "date-time"})]
Hex = Annotated[str, Described(description="Hexadecimal.", pattern="^[0-9A-Fa-f]*$")]
Serial = Annotated[
    str, Described(description="Serial number in hexadecimal.", pattern="^[0-9A-Fa-f]{1,40}$", examples=["01A2B3C4"])
]
Text = Annotated[str, Described(min_length=1, max_length=1000)]
Name = Annotated[str, Described(min_length=1, max_length=200)]
Limit = Annotated[int, Described(ge=1, le=1000, description="How many at most.")]
Lifetime = Annotated[str, Described(max_length=20, description="A duration: 90d, 12h, 30m.", examples=["30d"])]
DryRun = Annotated[
    bool, Described(description="Only say what would come of it: nothing is issued or changed, no key is used.")
]
Cursor = Annotated[str, Described(min_length=1, max_length=2000, description="The `next` of the page before.")]


class Sealed(msgspec.Struct, frozen=True):
    """Something with a secret in it: whatever shows it shows what it is, and nothing that it says."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Certificate(msgspec.Struct, frozen=True):
    """A certificate of the inventory."""

    serial_number: Serial
    name: str
    subject: Annotated[str, Described(description="RFC 4514.")]
    names: Annotated[list[str], Described(description="Subject alternative names: DNS:, IP:, email:, URI:.")]
    profile: str
    group: str | None
    issuer: Annotated[str, Described(description="Name of the CA.")]
    status: Annotated[str, Described(description="valid (whatever its end), revoked, held, or reserved.")]
    not_before: Annotated[Time | None, Described(description="null while the number is only reserved.")]
    not_after: Annotated[Time | None, Described(description="null while the number is only reserved.")]
    created_at: Time
    created_by: str
    revoked_at: Time | None
    revocation_reason: str | None


class Certificates(msgspec.Struct, frozen=True):
    """A page of certificates."""

    certificates: list[Certificate]
    next: Annotated[str | None, Described(description="Pass it as `after` for the next page; null on the last one.")]


class ShownCertificate(msgspec.Struct, frozen=True):
    """A certificate and itself in PEM, null where only the serial number of an imported one is known."""

    certificate: Certificate
    pem: str | None


class InForce(msgspec.Struct, frozen=True):
    """Who knows of a revocation by now."""

    crl_number: Annotated[
        int | None, Described(description="The published list that says so; null where none could be signed yet.")
    ]
    ocsp: Annotated[bool, Described(description="The responder says so from now on.")]
    nginx: Annotated[
        Literal["not_deployed", "pending"],
        Described(
            description="pending: the nginx of this host goes by the list before, until `counterseal refresh` has "
            "deployed and proved the new one. not_deployed: no site is deployed on this host."
        ),
    ]


class CA(msgspec.Struct, frozen=True):
    """A CA, and its newest list."""

    name: str
    purpose: Annotated[str, Described(description="root, server, client or any.")]
    state: Annotated[str, Described(description="active, retired or revoked.")]
    successor: Annotated[str | None, Described(description="The CA that issues in the place of this one.")]
    revoked_at: Time | None
    revocation_reason: Annotated[str | None, Described(description="RFC 5280 5.3.1.")]
    parent: str | None
    subject: str
    not_after: Time
    crl_number: int | None
    crl_next_update: Time | None


class CAs(msgspec.Struct, frozen=True):
    """All CAs."""

    cas: list[CA]


class ShownCA(msgspec.Struct, frozen=True):
    """A CA and its certificate."""

    ca: CA
    certificate: Annotated[str, Described(description="PEM.")]
    sha256: Hex


class CRL(msgspec.Struct, frozen=True):
    """A revocation list."""

    issuer: str
    number: Annotated[int, Described(description="RFC 5280 5.2.3.")]
    entries: int
    this_update: Time
    next_update: Time


class CRLs(msgspec.Struct, frozen=True):
    """The newest list of every CA that has one."""

    crls: list[CRL]


class Profile(msgspec.Struct, frozen=True):
    """The rules for a kind of certificate; durations in seconds."""

    name: str
    purpose: str
    lifetime: int
    max_lifetime: int
    name_kinds: list[str]
    wildcards: bool
    requires_name: bool
    permitted_domains: list[str]
    min_rsa_bits: int


class Profiles(msgspec.Struct, frozen=True):
    """The profiles that can be asked for."""

    profiles: list[Profile]


class KeyUse(msgspec.Struct, frozen=True):
    """One use of a CA key."""

    sequence: int
    at: Time
    actor: str
    ca: str
    action: str
    serial_number: Serial | None
    digest: Annotated[Hex, Described(description="SHA-256 of what was signed.")]
    hash: Annotated[Hex, Described(description="Covers this entry and the hash of the one before.")]


class KeyUses(msgspec.Struct, frozen=True):
    """A page of the log."""

    key_uses: list[KeyUse]
    next: Annotated[int | None, Described(description="Pass it as `after` for the next page; null at the end.")]


class LogFinding(msgspec.Struct, frozen=True):
    """Something that is not as it was written."""

    code: str
    where: str | None
    message: str


class Verification(msgspec.Struct, frozen=True):
    """What a verification of the log found."""

    intact: bool
    head: Annotated[str | None, Described(description="Number and hash of its newest entry: an `anchor` for later.")]
    findings: list[LogFinding]
