"""Revoking and taking a hold back, and what is in force of it when the answer comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from counterseal.authority.publish import publish
from counterseal.authority.record_json import certificate_to_json
from counterseal.authority.revoke import revoke_record, unrevoke_record
from counterseal.errors import CountersealError
from counterseal.pki.crl import RevocationReason
from counterseal.protocols.api.certificates import UNKNOWN, One, find_one
from counterseal.protocols.api.operation import Call, Operation, Reply
from counterseal.protocols.api.rehearsal import change
from counterseal.protocols.api.rules import Role
from counterseal.protocols.api.shapes import Certificate, Described, DryRun, InForce
from counterseal.service.log import log_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.authority.parts import Authority
    from counterseal.store.records import CertificateRecord

    Change = Callable[[Authority, CertificateRecord], CertificateRecord]

Reason = Literal[
    "unspecified", "key_compromise", "ca_compromise", "affiliation_changed", "superseded", "cessation_of_operation",
    "certificate_hold", "privilege_withdrawn", "aa_compromise",
]  # fmt: skip
CHANGED = UNKNOWN | {409: "It is revoked or held already, or not held; or several CAs issued this serial number."}


class RevokeWish(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Why (RFC 5280 5.3.1); a certificate_hold can be taken back."""

    reason: Reason = "unspecified"
    dry_run: DryRun = False


class Unrevoked(One, forbid_unknown_fields=True, frozen=True):
    """Which certificate."""

    dry_run: DryRun = False


class Changed(msgspec.Struct, frozen=True):
    """The certificate as it is now, and what is in force."""

    certificate: Certificate
    in_force: Annotated[InForce | None, Described(description="null: a rehearsal, nothing was changed.")]


async def revoke(call: Call) -> Reply:
    """Revoke a certificate and publish its CA's list.

    The answer says what is in force. nginx is not reloaded from here: that is for `counterseal refresh` on its host.
    """
    wanted: RevokeWish = call.body
    reason = RevocationReason(wanted.reason)
    return await _change(
        call, lambda authority, record: revoke_record(authority, record, reason), dry_run=wanted.dry_run
    )


async def unrevoke(call: Call) -> Reply:
    """Take back a certificate_hold and publish the CA's list; any other reason is final."""
    return await _change(call, unrevoke_record, dry_run=call.parameters.dry_run)


async def _change(call: Call, changed: Change, *, dry_run: bool) -> Reply:
    def step(authority: Authority) -> CertificateRecord:
        record = find_one(authority, call.parameters)
        call.caller.require(Role.OPERATOR, record.profile)
        return changed(authority, record)

    record = await change(call.parts.service.access, step, dry_run=dry_run)
    in_force = None if dry_run else await put_in_force(call, record.issuer)
    return Reply({"certificate": certificate_to_json(record), "in_force": in_force})


async def put_in_force(call: Call, issuer: str) -> dict[str, object]:
    """Publish the list of a CA of which something was revoked, and return what is in force."""
    return {
        "crl_number": await _publish(call, issuer),
        "ocsp": call.parts.has_ocsp,
        "nginx": "not_deployed" if call.parts.host.generation() is None else "pending",
    }


async def _publish(call: Call, issuer: str) -> int | None:
    """Return the number of the new list; None when it could not be signed, which upkeep tries again."""
    try:
        published = await call.parts.service.access.apart(
            lambda authority: publish(call.acting(authority), only={issuer})
        )
    except CountersealError as error:
        log_error("list not published", code=error.code, reason=error.message, cas=[issuer])
        return None
    return published.signed[0].number if published.signed else None


OPERATIONS = (
    Operation(
        "revokeCertificate", "POST", "/v1/certificates/{serial_number}/revoke", Role.OPERATOR, revoke, Changed,
        "Revoke a certificate", parameters=One, body=RevokeWish, problems=CHANGED,
    ),
    Operation(
        "unrevokeCertificate", "POST", "/v1/certificates/{serial_number}/unrevoke", Role.OPERATOR, unrevoke, Changed,
        "Take a hold back", parameters=Unrevoked, problems=CHANGED,
    ),
)  # fmt: skip
