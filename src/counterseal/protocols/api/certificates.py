"""Looking certificates up: search, show, and the certificate itself with its chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from counterseal.authority.credential import credential_of, issued_before
from counterseal.authority.inventory import Wanted
from counterseal.authority.record_json import certificate_to_json
from counterseal.duration import parse_duration
from counterseal.errors import NotFoundError
from counterseal.pki.pem import encode_certificates
from counterseal.pki.pem_writer import pem_block
from counterseal.pki.shown import show_serial
from counterseal.protocols.api.operation import Call, Operation, Reply
from counterseal.protocols.api.rules import Role
from counterseal.protocols.api.shapes import (
    Certificates,
    Cursor,
    Described,
    Lifetime,
    Limit,
    Name,
    Serial,
    ShownCertificate,
)
from counterseal.store.records import Status

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority
    from counterseal.store.records import CertificateRecord

CHAIN = "application/pem-certificate-chain"
UNKNOWN = {404: "There is no such certificate.", 409: "Several CAs issued this serial number: name the issuer."}


class Search(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What to look for, as with ``counterseal list``."""

    status: Annotated[
        Literal["valid", "expired", "revoked", "held", "reserved"] | None,
        Described(description="Only this; valid: not expired; reserved: numbers of which no certificate came."),
    ] = None
    profile: Annotated[Name | None, Described(description="Only this profile.")] = None
    issuer: Annotated[Name | None, Described(description="Only of this CA.")] = None
    name: Annotated[
        Name | None,
        Described(description="Begins with this; `*.example.com` for a domain, `*part*` for anywhere."),
    ] = None
    expiring: Annotated[Lifetime | None, Described(description="Valid ones that expire within this time.")] = None
    probes: Annotated[bool, Described(description="Also the certificates made for proofs and for OCSP responders.")] = (
        False
    )
    limit: Limit = 50
    after: Cursor | None = None


class One(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which certificate."""

    serial_number: Serial
    issuer: Annotated[Name | None, Described(description="Its CA, where several used this number.")] = None


async def search(call: Call) -> Reply:
    """List certificates by status, profile, name or expiry; the cursor stays good while others are issued."""
    asked: Search = call.parameters
    expiring = parse_duration(asked.expiring) if asked.expiring else None
    wanted = Wanted(**msgspec.structs.asdict(asked) | {"expiring": expiring})
    query = wanted.query(call.parts.service.clock())
    page = await call.parts.service.access.search(lambda authority: authority.store.search(query), call.caller.identity)
    return Reply({"certificates": [certificate_to_json(one) for one in page.records], "next": page.next})


async def show(call: Call) -> Reply:
    """Show one certificate of the inventory."""
    record = await call.parts.service.access.read(lambda authority: find_one(authority, call.parameters))
    pem = None
    if record.certificate is not None:
        pem = pem_block("CERTIFICATE", record.certificate).decode()
    tag = f"{record.serial_number:x}-{record.status}-{record.revoked_at or 0}"
    return Reply({"certificate": certificate_to_json(record), "pem": pem}, tag=tag)


async def chain(call: Call) -> Reply:
    """Download the certificate with the CA certificates that a server sends after it, in PEM."""

    def encode(authority: Authority) -> Reply:
        record = find_one(authority, call.parameters)
        credential = credential_of(issued_before(authority, record), None)
        content = encode_certificates(credential.certificate, *credential.chain)
        return Reply(content, tag=f"{record.serial_number:x}")

    return await call.parts.service.access.read(encode)


def find_one(authority: Authority, wanted: One) -> CertificateRecord:
    """Return the certificate; raises NotFoundError ``certificate.unknown``, AmbiguousError."""
    serial_number = int(wanted.serial_number, 16)
    try:
        record = authority.store.certificate(serial_number, issuer=wanted.issuer)
    except NotFoundError:
        record = None
    if record is None or record.status is Status.RESERVED:
        raise NotFoundError("certificate.unknown", f"no certificate of this serial: {show_serial(serial_number)}")
    return record


OPERATIONS = (
    Operation(
        "searchCertificates", "GET", "/v1/certificates", Role.VIEWER, search, Certificates, "Search certificates",
        parameters=Search, problems={422: "A duration or a cursor cannot be read, or the search reads too much."},
    ),
    Operation(
        "showCertificate", "GET", "/v1/certificates/{serial_number}", Role.VIEWER, show, ShownCertificate,
        "Show a certificate", parameters=One, problems=UNKNOWN, tagged=True,
    ),
    Operation(
        "downloadCertificate", "GET", "/v1/certificates/{serial_number}/chain", Role.VIEWER, chain, CHAIN,
        "Download a certificate with its chain", parameters=One, problems=UNKNOWN, tagged=True,
    ),
)  # fmt: skip
