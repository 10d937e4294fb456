"""Issuing: from a CSR, with a key made here, or again what a certificate says; and packing one for its holder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict

from counterseal.authority.credential import credential_of, issued_before
from counterseal.authority.order import name_of_csr, order_client, order_from_csr, order_server
from counterseal.authority.record_json import certificate_to_json
from counterseal.authority.renew import ask_again, key_spec_after
from counterseal.authority.revoke import revoke_record
from counterseal.duration import parse_duration
from counterseal.errors import InputError, KeyAccessError, NotFoundError, RefusedError
from counterseal.keystore.pkcs8 import open_key
from counterseal.keystore.software import generate_key
from counterseal.moments import epoch
from counterseal.pki.crl import RevocationReason
from counterseal.pki.csr import parse_csr
from counterseal.pki.keys import parse_key_spec
from counterseal.pki.profile import Purpose
from counterseal.pki.shown import show_serial
from counterseal.protocols.api.certificates import UNKNOWN, One, find_one
from counterseal.protocols.api.delivering import (
    answered,
    choose_password,
    deliver_bundle,
    deliver_chain,
    issue_once,
    pack,
    rehearse_bundle,
    rehearse_only,
)
from counterseal.protocols.api.operation import Call, Operation, Reply
from counterseal.protocols.api.revoking import put_in_force
from counterseal.protocols.api.rules import Role
from counterseal.protocols.api.wishes import (
    Bundle,
    CredentialWish,
    ExportWish,
    Issued,
    Rehearsal,
    Rekeyed,
    RekeyWish,
    RenewWish,
    SignWish,
    Wish,
)
from counterseal.store.records import Status

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PrivateKeyTypes

    from counterseal.authority.parts import Authority
    from counterseal.pki.keys import KeySpec
    from counterseal.pki.policy import Asked
    from counterseal.pki.profile import Profile
    from counterseal.store.records import CertificateRecord


class About(TypedDict):
    """What a certificate for a new key is called, by whom it is issued, and what belongs to it."""

    name: str
    issuer: str | None
    key: CertificateIssuerPrivateKeyTypes
    password: str | None


ISSUING = {
    404: "There is no such profile, CA or certificate.",
    409: "The first request with this Idempotency-Key is under way, or the certificate does not stand.",
    422: "A value has no meaning here, or the Idempotency-Key came with another request before.",
}


async def sign(call: Call) -> Reply:
    """Sign a CSR whose key stays where it is; nobody chooses his own group by it."""
    wanted: SignWish = call.body
    csr = parse_csr(wanted.csr.encode())
    if csr.unmet:
        raise InputError(
            "api.extensions",
            f"no certificate here gets what the CSR asks for: {', '.join(csr.unmet)}",
            hint="leave it out",
        )

    def decide(authority: Authority) -> Asked:
        profile = _profile(authority, call, wanted.profile)
        _refuse_group_of_server(profile, wanted)
        asked = order_from_csr(profile, csr, more_names=wanted.names, group=wanted.group, subject=wanted.subject)
        return _living(asked, wanted.lifetime)

    name = wanted.name or name_of_csr(csr)
    if wanted.dry_run:
        return await rehearse_only(call, decide, name=name, issuer=wanted.issuer)
    kept, issued = await answered(call), None
    if kept is None:
        kept, issued = await issue_once(call, decide, name=name, issuer=wanted.issuer)
    return await deliver_chain(call, kept, issued)


async def make(call: Call) -> Reply:
    """Make a key and its certificate, and hand both over in one bundle; the key is not kept.

    With an Idempotency-Key it can be fetched again by the same request for a day, and only by it.
    """
    wanted: CredentialWish = call.body
    kept, issued = None if wanted.dry_run else await answered(call), None
    if kept is None:
        password, key = choose_password(call, wanted.packing), await _new_key(call, parse_key_spec(wanted.key))

        def decide(authority: Authority) -> Asked:
            return _living(_order(_profile(authority, call, wanted.profile), wanted, key), wanted.lifetime)

        about: About = {"name": wanted.name, "issuer": wanted.issuer, "key": key, "password": password}
        await rehearse_bundle(call, decide, wanted.packing, **about)
        if wanted.dry_run:
            return await rehearse_only(call, decide, name=wanted.name, issuer=wanted.issuer)
        kept, issued = await issue_once(call, decide, **about)
    return await deliver_bundle(call, kept, issued, wanted.packing)


async def renew(call: Call) -> Reply:
    """Issue the same certificate again, for the same key."""
    wanted: RenewWish = call.body
    kept, issued = None if wanted.dry_run else await answered(call), None
    if kept is None:
        record = await call.parts.service.access.read(lambda authority: _standing(authority, call))

        def decide(authority: Authority) -> Asked:
            return _living(ask_again(authority, _standing(authority, call)), wanted.lifetime)

        if wanted.dry_run:
            return await rehearse_only(call, decide, name=record.name, issuer=record.issuer)
        kept, issued = await issue_once(call, decide, name=record.name, issuer=record.issuer)
    return await deliver_chain(call, kept, issued)


async def rekey(call: Call) -> Reply:
    """Issue the same certificate again, with a new key made here and handed over once.

    With ``revoke_old`` the one before is revoked with the recording of the new one, or neither is done.
    """
    wanted: RekeyWish = call.body
    kept, issued = None if wanted.dry_run else await answered(call), None
    if kept is None:
        record = await call.parts.service.access.read(lambda authority: _standing(authority, call))
        spec = parse_key_spec(wanted.key) if wanted.key else key_spec_after(record)
        password, key = choose_password(call, wanted.packing), await _new_key(call, spec)

        def decide(authority: Authority) -> Asked:
            asked = ask_again(authority, _standing(authority, call), public_key=key.public_key())
            return _living(asked, wanted.lifetime)

        def revoke_old(authority: Authority) -> None:
            revoke_record(authority, record, RevocationReason.SUPERSEDED)

        about: About = {"name": record.name, "issuer": record.issuer, "key": key, "password": password}
        await rehearse_bundle(call, decide, wanted.packing, **about)
        if wanted.dry_run:
            return await rehearse_only(call, decide, name=record.name, issuer=record.issuer)
        kept, issued = await issue_once(call, decide, **about, together=revoke_old if wanted.revoke_old else None)
    reply = await deliver_bundle(call, kept, issued, wanted.packing)
    return replace(reply, content=reply.content | await _superseded(call, revoked=wanted.revoke_old))


async def _superseded(call: Call, *, revoked: bool) -> dict[str, object]:
    """Return what became of the certificate of the path, its CA's list published if it was revoked."""
    if not revoked:
        return {"revoked": None, "in_force": None}
    record = await call.parts.service.access.read(lambda authority: find_one(authority, call.parameters))
    return {"revoked": certificate_to_json(record), "in_force": await put_in_force(call, record.issuer)}


async def export_(call: Call) -> Reply:
    """Pack a certificate for a device, a Java program or Kubernetes; keys are not kept, so bring it along."""
    wanted: ExportWish = call.body
    key, password = _given_key(wanted.private_key), choose_password(call, wanted.packing)
    service = call.parts.service
    record = await service.access.read(lambda authority: _standing(authority, call))
    credential = await service.access.read(lambda authority: credential_of(issued_before(authority, record), key))
    files = await service.access.sign(lambda: pack(credential, wanted.packing, password))
    return Reply({"certificate": certificate_to_json(record), "files": files, "password": password, "remarks": []})


def _order(profile: Profile, wanted: CredentialWish, key: CertificateIssuerPrivateKeyTypes) -> Asked:
    _refuse_group_of_server(profile, wanted)
    public_key = key.public_key()
    names, subject = wanted.names, wanted.subject
    if profile.purpose is not Purpose.SERVER:
        return order_client(
            profile,
            wanted.name,
            public_key,
            more_names=names,
            group=wanted.group,
            subject=subject,
        )
    return order_server(profile, wanted.name, public_key, more_names=names, subject=subject)


def _refuse_group_of_server(profile: Profile, wanted: Wish) -> None:
    if profile.purpose is Purpose.SERVER and wanted.group is not None:
        raise InputError("api.group", f"only a client has a group: {wanted.group!r}")


def _profile(authority: Authority, call: Call, name: str) -> Profile:
    """Return the profile if the caller may issue of it; probes are made by a deploy alone."""
    profile = authority.profile(name)
    if profile.probe:
        raise NotFoundError("profile.unknown", f"no such profile: {name!r}")
    call.caller.require(Role.OPERATOR, profile.name)
    return profile


def _standing(authority: Authority, call: Call) -> CertificateRecord:
    """Return the certificate of the path, which must be valid and of a profile that the caller may issue of."""
    record = find_one(authority, call.parameters)
    call.caller.require(Role.OPERATOR, record.profile)
    if record.status is not Status.VALID or record.not_after <= epoch(authority.clock()):
        state = record.status if record.status is not Status.VALID else "expired"
        raise RefusedError("certificate.not_valid", f"the certificate is {state}: {show_serial(record.serial_number)}")
    return record


async def _new_key(call: Call, spec: KeySpec) -> CertificateIssuerPrivateKeyTypes:
    return await call.parts.service.access.sign(lambda: generate_key(spec))


def _given_key(text: str | None) -> PrivateKeyTypes | None:
    if text is None:
        return None
    try:
        return open_key(text.encode(), None, source="private_key")
    except KeyAccessError as error:
        raise InputError("api.private_key", error.message, hint="send it in PEM, not encrypted") from None


def _living(asked: Asked, chosen: str | None) -> Asked:
    """Return it with the lifetime that the caller chose, if he did: within what the profile leaves to callers."""
    if chosen is None:
        return asked
    return asked._replace(profile=asked.profile.for_strangers(), lifetime=parse_duration(chosen))


OPERATIONS = (
    Operation(
        "signCSR", "POST", "/v1/certificates", Role.OPERATOR, sign, Issued, "Sign a CSR",
        status=201, body=SignWish, problems=ISSUING, idempotent=True, rehearsal=Rehearsal,
    ),
    Operation(
        "makeCredential", "POST", "/v1/credentials", Role.OPERATOR, make, Bundle, "Make a key and its certificate",
        status=201, body=CredentialWish, problems=ISSUING, idempotent=True, rehearsal=Rehearsal,
    ),
    Operation(
        "renewCertificate", "POST", "/v1/certificates/{serial_number}/renew", Role.OPERATOR, renew, Issued,
        "Renew a certificate", status=201, parameters=One, body=RenewWish, problems=ISSUING, idempotent=True,
        rehearsal=Rehearsal,
    ),
    Operation(
        "rekeyCertificate", "POST", "/v1/certificates/{serial_number}/rekey", Role.OPERATOR, rekey, Rekeyed,
        "Issue a certificate again with a new key", status=201, parameters=One, body=RekeyWish, problems=ISSUING,
        idempotent=True, rehearsal=Rehearsal,
    ),
    Operation(
        "exportCertificate", "POST", "/v1/certificates/{serial_number}/export", Role.OPERATOR, export_, Bundle,
        "Pack a certificate for its holder", parameters=One, body=ExportWish, problems=UNKNOWN | ISSUING,
    ),
)  # fmt: skip
