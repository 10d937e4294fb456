"""Take over a CA that another program made, with all it has issued and revoked, and go on from there.

One under a root that is kept elsewhere comes with the certificates of the CAs above it, which have no key here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import count, pairwise
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.authority.adopt import adopt_index, adopt_revocations
from counterseal.authority.chain_above import chain_above
from counterseal.authority.create import check_ca_name, refuse_same_name
from counterseal.authority.issue import refuse_compromised, rehearse
from counterseal.authority.openssl_index import parse_index
from counterseal.authority.parts import ROOT
from counterseal.authority.signing import record_of
from counterseal.authority.take_list import take_list
from counterseal.errors import InputError, RefusedError
from counterseal.moments import epoch
from counterseal.pki.certificate import purpose_of
from counterseal.pki.crl_reader import parse_facts, revocations, revoked_serials
from counterseal.pki.extensions import extension_in
from counterseal.pki.path.candidate import Candidate
from counterseal.pki.path.revocation_list import RevocationList
from counterseal.pki.policy import Asked
from counterseal.pki.profile import CLIENT_PROBE, PROBE_GROUP, SERVER_PROBE, Purpose
from counterseal.pki.subject import show_subject, subject_of
from counterseal.store.records import CA_PROFILE, CARecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Literal

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from counterseal.authority.parts import Authority

ISSUING = "issuing"
"""What a CA under a root is called here unless it is named."""


@dataclass(frozen=True, slots=True)
class Import:
    """What is taken over: the CA's certificate and key, and the directory of openssl or easy-rsa, if there is one.

    ``chain`` has the CAs above it, in any order. ``crls`` are lists in DER: theirs, which cannot be signed here, and
    its own, for what an index does not have. ``name`` is for one that is not self-signed.
    """

    certificate: x509.Certificate
    private_key: CertificateIssuerPrivateKeyTypes
    name: str = ISSUING
    chain: tuple[x509.Certificate, ...] = ()
    crls: tuple[bytes, ...] = ()
    index: str = ""
    directory: Path | None = None
    crl_number: int = 0
    encrypt: bool = True


@dataclass(frozen=True, slots=True)
class Imported:
    """The CA as it stands here, those above it, nearest first, and how many certificates came with it.

    ``of_any_purpose`` are the names of valid ones that lack extendedKeyUsage: nginx takes a server's for a client's.
    """

    ca: CARecord
    above: tuple[CARecord, ...]
    certificates: int
    revoked: int
    of_any_purpose: tuple[str, ...]


def import_ca(authority: Authority, what: Import) -> Imported:
    """Make a CA made elsewhere one of this store: ``root`` if it is self-signed, else ``what.name`` under its root.

    Raises InputError ``import.*`` when certificate, key and chain do not belong together, RefusedError ``import.*``
    when it could not go on, InputError ``certificate.*`` for a certificate that it issued and that cannot be read, and
    what ``take_list`` raises; then the store is as it was.
    """
    above = _check(authority, what)
    name = what.name if above else ROOT
    with authority.keystore.alone():
        authority.keystore.add(name, what.private_key, encrypt=what.encrypt)
        try:
            with authority.store.transaction():
                return _take_over(authority, what, name, above)
        except BaseException:
            authority.keystore.discard(name)
            raise


def rehearse_import(authority: Authority, what: Import) -> Imported:
    """Return what ``import_ca`` would, and raise what it would; nothing is kept."""
    above = _check(authority, what)
    authority.store.begin()
    try:
        return _take_over(authority, what, what.name if above else ROOT, above)
    finally:
        authority.store.abandon()


def _take_over(authority: Authority, what: Import, name: str, above: Sequence[x509.Certificate]) -> Imported:
    own = [crl for crl in what.crls if RevocationList(crl).is_signed_by(Candidate(what.certificate))]
    record = _add(authority, what, name, above, own)
    certificates, revoked, suiting = _adopt(authority, what, record, own)
    for crl in what.crls:
        if crl not in own:
            take_list(authority, crl)
    _file_cas(authority, record)
    _rehearse_issuing(authority, record)
    return Imported(record, authority.above(record), certificates, revoked, suiting)


def _check(authority: Authority, what: Import) -> tuple[x509.Certificate, ...]:
    """Return the CAs above; raises where the parts do not belong together, or not into this store."""
    shown, constraints = (
        show_subject(what.certificate.subject),
        extension_in(what.certificate.extensions, x509.BasicConstraints),
    )
    if constraints is None or not constraints.ca:
        hint = "give the certificate of the CA that issued it"
        raise RefusedError("import.not_ca", f"not a CA certificate: {shown}", hint=hint)
    if what.certificate.public_key() != what.private_key.public_key():
        raise InputError("import.key", f"the key is not that of the CA: {shown}")
    refuse_compromised(authority, what.certificate.public_key())
    above = chain_above(what.certificate, what.chain, at=authority.clock())
    here = authority.store.cas()
    if here and (not above or authority.store.ca(ROOT).certificate != _der(above[-1])):
        shown = show_subject((above[-1] if above else what.certificate).subject)
        hint = "import it into another --home"
        raise RefusedError("import.other_root", f"the root here is another one: {shown}", hint=hint)
    if above and what.name == ROOT:
        raise InputError("ca.exists", f"{ROOT} is what the root is called", hint="choose another --name")
    if above:
        check_ca_name(authority, what.name)
    hint = "give the new CA another subject, as another CN, and a key of its own"
    refuse_same_name(authority, what.certificate.subject, hint=hint)
    for one in above:
        refuse_same_name(authority, one.subject, certificate=_der(one), hint=hint)
    return above


def _add(
    authority: Authority, what: Import, name: str, above: Sequence[x509.Certificate], own: Sequence[bytes]
) -> CARecord:
    """Add the CA, and before it those above that are not here yet; what these certify is CAs alone, as a root does."""
    kinds: dict[Purpose, Literal["server", "client", "any"]] = {
        Purpose.SERVER: "server",
        Purpose.CLIENT: "client",
        Purpose.ANY: "any",
    }
    known = {record.certificate: record.name for record in authority.store.cas()}
    parent, at = None, epoch(authority.clock())
    for certificate in reversed(above):
        nearest = known.get(_der(certificate)) or (ROOT if parent is None else _free_name(authority))
        if nearest not in known.values():
            authority.store.add_ca(CARecord(nearest, "root", parent, _der(certificate), nearest, "active", at))
        parent = nearest
    record = CARecord(name, kinds[purpose_of(what.certificate)], parent, _der(what.certificate), name, "active", at)
    numbers = (parse_facts(crl).number or 0 for crl in own)
    authority.store.add_ca(record, crl_number=max((what.crl_number, *numbers)))
    return record


def _free_name(authority: Authority) -> str:
    taken = {record.name for record in authority.store.cas()}
    return next(name for number in count(1) if (name := f"intermediate-{number}") not in taken)


def _adopt(
    authority: Authority, what: Import, record: CARecord, own: Sequence[bytes]
) -> tuple[int, int, tuple[str, ...]]:
    """Take over what the CA issued and revoked; return how many that are, and who is good for every purpose."""
    entries = parse_index(what.index)
    if record.parent is None:  # openssl ca -selfsign lists it among its own
        entries = tuple(one for one in entries if one.serial_number != what.certificate.serial_number)
    suiting = adopt_index(authority, record, entries, what.directory)
    revoked = {entry.serial_number for entry in entries if entry.revoked_at is not None}
    for crl in own:
        adopt_revocations(authority, record, revocations(crl))
        revoked |= revoked_serials(crl)
    names = tuple(one.name for one in suiting if one.serial_number not in revoked)
    return len({entry.serial_number for entry in entries} | revoked), len(revoked), names


def _file_cas(authority: Authority, record: CARecord) -> None:
    """Record the certificates of the CA and of new ones above it under who issued them, as for those made here."""
    for below, above in pairwise((record, *authority.above(record))):
        certificate = x509.load_der_x509_certificate(below.certificate)
        last = authority.store.latest_crl(above.name)
        if last is not None and certificate.serial_number in revoked_serials(last.crl):
            shown = show_subject(certificate.subject)
            raise RefusedError("import.revoked", f"this CA is revoked by the list of the CA above it: {shown}")
        if below is record or not authority.store.by_name(below.name):
            row = record_of(
                certificate,
                below.certificate,
                issuer=above.name,
                name=below.name,
                profile=CA_PROFILE,
                at=below.created_at,
                actor=authority.actor,
            )
            authority.store.adopt([(row, None)])


def _rehearse_issuing(authority: Authority, record: CARecord) -> None:
    """Have the rules judge what the CA will issue: a path length, a usage or a weak key above may forbid all of it."""
    issuer = authority.issuer(record.name)
    for profile in (SERVER_PROBE, CLIENT_PROBE):
        if record.purpose not in {str(profile.purpose), str(Purpose.ANY)}:
            continue
        subject = subject_of("probe import", group=PROBE_GROUP)
        asked = Asked(profile, subject, (), issuer.certificate.public_key(), timedelta(hours=1))
        try:
            rehearse(authority, asked, name=profile.name, issuer=record.name)
        except RefusedError as error:
            shown = show_subject(issuer.certificate.subject)
            message = f"no {profile.purpose} certificate of this CA would be good: {shown}"
            raise RefusedError("import.unusable", message, findings=error.findings) from error


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
