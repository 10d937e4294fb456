"""Make a CA: a root, and under it one issuing CA a purpose; or the one-CA layout that tutorials show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from cryptography import x509
from cryptography.x509.oid import NameOID

from counterseal.authority.order import MAX_COMMON_NAME
from counterseal.authority.parts import ROOT
from counterseal.authority.signing import check_draft, key_use, prepare_draft, sign_and_store
from counterseal.duration import show_duration
from counterseal.errors import InputError, RefusedError
from counterseal.moments import epoch, show_moment
from counterseal.pki.attributes import attribute
from counterseal.pki.certificate import CARequest, assemble_ca
from counterseal.pki.constraints import constrain
from counterseal.pki.keys import P256, KeySpec, signature_algorithm
from counterseal.pki.policy import BACKDATE
from counterseal.pki.profile import Purpose
from counterseal.pki.subject import common_name, nginx_name, organization, show_subject
from counterseal.store.records import CA_PROFILE, CARecord

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPublicKeyTypes,
    )

    from counterseal.authority.parts import Authority
    from counterseal.fileset import PlannedFile
    from counterseal.pki.certificate import Draft, Issuer

ROOT_LIFETIME = timedelta(days=3650)
ISSUING_LIFETIME = timedelta(days=1825)


@dataclass(frozen=True, slots=True)
class RootPlan:
    """How the root shall be; ``permitted`` are the names it may certify, empty for any."""

    subject: x509.Name
    key: KeySpec = P256
    lifetime: timedelta = ROOT_LIFETIME
    permitted: tuple[str, ...] = ()
    single_tier: bool = False
    encrypt: bool = True


def create(authority: Authority, plan: RootPlan) -> tuple[CARecord, ...]:
    """Make the root and, unless ``single_tier``, the CAs ``servers`` and ``clients``; return them, root first."""
    if authority.store.cas():
        raise InputError("ca.exists", "there is a CA here already", hint="use another --home, or: counterseal ca add")
    root = _create_root(authority, plan)
    if plan.single_tier:
        return (root,)
    return (
        root,
        add_ca(authority, "servers", Purpose.SERVER, key=plan.key, encrypt=plan.encrypt),
        add_ca(authority, "clients", Purpose.CLIENT, key=plan.key, encrypt=plan.encrypt),
    )


def add_ca(
    authority: Authority,
    name: str,
    purpose: Purpose,
    *,
    key: KeySpec = P256,
    lifetime: timedelta | None = None,
    encrypt: bool = True,
) -> CARecord:
    """Make an issuing CA under the root; without a lifetime, five years or what the root has left."""
    check_ca_name(authority, name)
    _require_lifetime(lifetime)
    root_signer = authority.keystore.signer(authority.store.ca(ROOT).key_id)
    with authority.keystore.alone():
        check_ca_name(authority, name)  # it may have been made meanwhile
        authority.keystore.set_aside(name)
        signer = authority.keystore.create(name, key, encrypt=encrypt)
        above = authority.issuer(ROOT)
        try:
            draft = _draft_issuing(authority, above, name, purpose, signer.public_key, lifetime)
            issued = sign_and_store(authority, prepare_draft(draft, above, root_signer, name=name, profile=CA_PROFILE))
            kind: Literal["server", "client"] = "server" if purpose is Purpose.SERVER else "client"
            content = issued.record.certificate or b""
            record = CARecord(name, kind, ROOT, content, name, "active", epoch(authority.clock()))
            authority.store.add_ca(record)
        except BaseException:
            authority.keystore.discard(name)
            raise
        return record


def rehearse_ca(
    authority: Authority, name: str, purpose: Purpose, *, key: KeySpec, lifetime: timedelta | None, encrypt: bool
) -> tuple[x509.Certificate, PlannedFile]:
    """Decide and lint as ``add_ca`` does; return the CA's certificate, unsigned, and the file of its key."""
    check_ca_name(authority, name)
    _require_lifetime(lifetime)
    signer, file = authority.keystore.rehearse(name, key, encrypt=encrypt)
    above = authority.issuer(ROOT)
    preview, _ = check_draft(_draft_issuing(authority, above, name, purpose, signer.public_key, lifetime), above.path)
    return preview, file


def check_ca_name(authority: Authority, name: str) -> None:
    """Raise InputError ``ca.name``, ``ca.exists``, RefusedError ``ca.single_tier`` where no CA can be called so."""
    if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum() or not name[0].isalnum():
        raise InputError("ca.name", f"not a name for a CA: {name!r}", hint="letters, digits, '-' and '_'")
    if any(record.name == name for record in authority.store.cas()):
        raise InputError("ca.exists", f"there is a CA of this name already: {name!r}", hint="choose another name")
    if any(record.name == ROOT and record.purpose != ROOT for record in authority.store.cas()):
        raise RefusedError(
            "ca.single_tier",
            "a single-tier CA takes no issuing CA under it",
            hint="make a two-tier CA in another --home",
        )


def refuse_same_name(authority: Authority, subject: x509.Name, *, certificate: bytes | None = None, hint: str) -> None:
    """Raise RefusedError ``ca.same_name`` where a CA of this subject is here, unless it stands, with this certificate.

    nginx knows who issued a certificate by this name alone, so that one of these two could not be locked out. Nor can
    OpenSSL tell the lists of two with one key apart: who is on the one would be let in by the other.
    """
    shown = nginx_name(subject)
    for record in authority.store.cas():
        here, *_ = authority.path(record)
        is_other = record.certificate != certificate or record.revoked_at is not None
        if is_other and nginx_name(here.subject) == shown:
            message = f"CA {record.name} has this subject already, and nginx could not tell the two apart: {shown}"
            raise RefusedError("ca.same_name", message, hint=hint)


def _draft_issuing(
    authority: Authority,
    above: Issuer,
    name: str,
    purpose: Purpose,
    public_key: CertificateIssuerPublicKeyTypes,
    lifetime: timedelta | None,
) -> Draft:
    now = authority.clock().replace(microsecond=0)
    if now > above.certificate.not_valid_after_utc:
        raise RefusedError(
            "ca.root_expired",
            f"the root expired on {show_moment(above.certificate.not_valid_after_utc)}",
            hint="make a new CA: counterseal init --home ELSEWHERE",
        )
    end = now + lifetime if lifetime is not None else min(now + ISSUING_LIFETIME, above.certificate.not_valid_after_utc)
    subject = _issuing_subject(above.certificate.subject, name)
    refuse_same_name(authority, subject, hint="choose another name, different in its first letters")
    request = CARequest(
        subject=subject,
        public_key=public_key,
        not_before=max(now - BACKDATE, above.certificate.not_valid_before_utc),
        not_after=end,
        serial_number=authority.serial_number(),
        path_length=0,
        purpose=purpose,
    )
    return assemble_ca(request, above, signature_algorithm(above.certificate.public_key()))


def _create_root(authority: Authority, plan: RootPlan) -> CARecord:
    now = authority.clock().replace(microsecond=0)
    constraints = constrain(plan.permitted)
    _require_lifetime(plan.lifetime)
    signer = authority.keystore.create(ROOT, plan.key, encrypt=plan.encrypt)
    request = CARequest(
        subject=plan.subject,
        public_key=signer.public_key,
        not_before=now - BACKDATE,
        not_after=now + plan.lifetime,
        serial_number=authority.serial_number(),
        path_length=0 if plan.single_tier else 1,
        purpose=None,
        name_constraints=constraints,
    )
    draft = assemble_ca(request, None, signer.signature_algorithm)
    check_draft(draft, ())
    content = draft.sign(signer)
    purpose: Literal["any", "root"] = "any" if plan.single_tier else "root"
    record = CARecord(ROOT, purpose, None, content, ROOT, "active", epoch(authority.clock()))
    authority.store.add_ca(record, key_use(authority, ROOT, "ca certificate", draft.tbs, request.serial_number))
    return record


def _require_lifetime(lifetime: timedelta | None) -> None:
    if lifetime is not None and lifetime < timedelta(seconds=1):
        raise InputError("ca.lifetime", f"a CA must live for some time: {show_duration(lifetime)}")


def _issuing_subject(root: x509.Name, name: str) -> x509.Name:
    """Return the root's subject with this CA's name in the CN: distinct, because nginx tells issuers apart by it."""
    kept = [rdn for rdn in root.rdns if not any(one.oid == NameOID.COMMON_NAME for one in rdn)]
    above = common_name(root) or organization(root) or show_subject(root)
    room = max(MAX_COMMON_NAME - len(name) - 1, 0)  # of a long one its end gives way, for the name tells CAs apart
    common = f"{above[:room].rstrip()} {name}".lstrip()[:MAX_COMMON_NAME]
    return x509.Name([*kept, x509.RelativeDistinguishedName([attribute("CN", common)])])
