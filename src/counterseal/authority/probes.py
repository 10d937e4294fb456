"""Certificates made for a proof: marked by their OU, short-lived, admitted by no ``allow`` list.

A generation carries its own probes, so that what is proved is what that generation was made to answer. The canary of a
CA is one certificate that stays revoked as long as the CA lives: "is the list in force?" has an answer.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from counterseal.authority.issue import prepare
from counterseal.authority.renewal import is_due
from counterseal.authority.revoke import revoke_record
from counterseal.authority.signing import sign_and_store_all
from counterseal.errors import FileError
from counterseal.files import make_directory, read_file, write_file
from counterseal.fileset import SECRET, FileSet, PlannedFile
from counterseal.handshake.observation import ProbeIdentity
from counterseal.keystore.software import generate_key
from counterseal.moments import epoch
from counterseal.pki.crl import RevocationReason
from counterseal.pki.keys import P256
from counterseal.pki.pem import encode_private_key
from counterseal.pki.policy import Asked
from counterseal.pki.profile import CLIENT_PROBE, PROBE_GROUP, SERVER_PROBE, Profile, Purpose
from counterseal.pki.subject import subject_of
from counterseal.store.records import PAGE_LIMIT, Query, Status

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from counterseal.authority.parts import Authority
    from counterseal.authority.signing import Prepared
    from counterseal.store.records import CARecord, CertificateRecord

GOOD_LIFETIME = timedelta(days=7)
_WORTH_IT = timedelta(hours=1)
"""By how much a new probe must outlive the last: one of a CA that ends is dated back, and ends some minutes earlier."""
UNLISTED = "unlisted"
SERVER_PURPOSE = "server-purpose"
_OUTSIDER = "outsider"
_KEY_BEGINS = b"-----BEGIN PRIVATE KEY-----"


@dataclass(frozen=True, slots=True)
class Probes:
    """The identities with which one client CA's sites are proved."""

    good: ProbeIdentity
    expired: ProbeIdentity
    server_purpose: ProbeIdentity | None
    """None where no CA here issues to servers, or its key is away."""
    revoked: ProbeIdentity
    unlisted: ProbeIdentity | None = None
    """A good one that the list of known certificates leaves out; only where a site has such a list."""


def make_probes(
    authority: Authority,
    ca: str,
    canaries: Path,
    *,
    with_unlisted: bool,
    keep: bool = True,
    lifetime: timedelta = GOOD_LIFETIME,
) -> Probes:
    """Issue new probes under client CA ``ca``; the canary is kept in the directory ``canaries`` and made only once.

    Not with ``keep`` False: where nothing is signed.
    """
    now = authority.clock()
    past = now - timedelta(days=2)
    wanted = [
        Wanted(CLIENT_PROBE, ca, "good", lifetime),
        Wanted(CLIENT_PROBE, ca, "expired", timedelta(days=1), past),
    ]
    if authority.cas_for(Purpose.SERVER) and not authority.is_away(authority.last_for(Purpose.SERVER)):
        wanted.append(Wanted(SERVER_PROBE, authority.last_for(Purpose.SERVER).name, SERVER_PURPOSE, lifetime))
    if with_unlisted:
        wanted.append(Wanted(CLIENT_PROBE, ca, UNLISTED, lifetime))
    made = {identity.name: identity for _, identity in issue_probes(authority, wanted)}
    canary = _canary(authority, ca, canaries, keep=keep)
    return Probes(made["good"], made["expired"], made.get(SERVER_PURPOSE), canary, made.get(UNLISTED))


def issue_good(authority: Authority, ca: str) -> ProbeIdentity:
    """Issue one good probe under ``ca``, as a client of a CA that a site does not admit, or that is revoked."""
    return issue_probe(authority, Wanted(CLIENT_PROBE, ca, _OUTSIDER, timedelta(hours=1)))[1]


def retire_good(authority: Authority, ca: str, *, only: Container[int] | None = None) -> None:
    """Revoke the good probes of earlier generations; the next one must refuse them and their sessions.

    ``only``: those with one of these serial numbers.
    """
    retire_probes(authority, CLIENT_PROBE, ca, "good", UNLISTED, only=only)


def retire_probes(
    authority: Authority, profile: Profile, ca: str, *kinds: str, only: Container[int] | None = None
) -> None:
    """Revoke the probes of these kinds that are still good: no generation needs those of another as such."""
    for record in tuple(_good(authority, profile, ca, kinds, at=epoch(authority.clock()))):
        if only is None or record.serial_number in only:
            revoke_record(authority, record, RevocationReason.SUPERSEDED)


def unlisted_serials(authority: Authority, ca: str, *, at: int) -> Iterator[int]:
    """Yield the serial numbers that the list of known certificates at ``at`` leaves out on purpose.

    The store knows them, as it knows everything that is signed; nginx is to meet a certificate that it was not told of.
    Those that knock at other CAs' sites are none of a generation's clients either.
    """
    good = _good(authority, CLIENT_PROBE, ca, (UNLISTED, _OUTSIDER), at=at)
    return (record.serial_number for record in good)


def _good(
    authority: Authority, profile: Profile, ca: str, kinds: Sequence[str], *, at: int
) -> Iterator[CertificateRecord]:
    """Yield the probes of these kinds that are good at ``at``; of the profile's others, none that ended is read."""
    names = {_name(kind, ca) for kind in kinds}
    query = Query(status=Status.VALID, profile=profile.name, include_expired=False, at=at, limit=PAGE_LIMIT)
    return (record for record in authority.store.every(query) if record.name in names)


def files_of(ca: str, probes: Probes) -> FileSet:
    """Return the probes as files of a generation, certificate chain and key in one, readable by the owner only."""
    identities = (probes.good, probes.expired, probes.server_purpose, probes.revoked, probes.unlisted)
    return FileSet(
        tuple(
            PlannedFile(f"probes/{ca}/{identity.name}.pem", identity.certificate_chain + identity.private_key, SECRET)
            for identity in identities
            if identity is not None
        )
    )


def has_probes(generation: Path, ca: str) -> bool:
    """Whether a generation carries probes of this CA."""
    return (generation / "probes" / ca / "good.pem").is_file()


def read_probes(generation: Path, ca: str) -> Probes:
    """Return the probes that a generation carries; raises FileError where it has none for this CA, or damaged ones."""
    place = generation / "probes" / ca
    good, expired, revoked = (read_identity(name, place / f"{name}.pem") for name in ("good", "expired", "revoked"))
    server_purpose, unlisted = (
        read_identity(name, file) if (file := place / f"{name}.pem").is_file() else None
        for name in (SERVER_PURPOSE, UNLISTED)
    )
    return Probes(good, expired, server_purpose, revoked, unlisted)


def end_of(probe: ProbeIdentity) -> datetime:
    """Return when a probe ends."""
    return x509.load_pem_x509_certificate(probe.certificate_chain).not_valid_after_utc


def serial_number_of(probe: ProbeIdentity) -> int:
    """Return the serial number of what a probe presents."""
    return x509.load_pem_x509_certificate(probe.certificate_chain).serial_number


def standing_of(authority: Authority, probe: ProbeIdentity, ca: str) -> str | None:
    """Return the status of a probe; None where the store has forgotten it, as a failover may: nobody can revoke it."""
    found = authority.store.standing(serial_number_of(probe), issuer=ca)
    return None if found is None else found[0]


def ending_probes(authority: Authority, generation: Path) -> tuple[str, ...]:
    """Return the client CAs whose good probe in a generation ends soon, where a new one would live longer."""
    return tuple(record.name for record in authority.store.cas() if _ends_soon(authority, generation, record))


def _ends_soon(authority: Authority, generation: Path, ca: CARecord) -> bool:
    cannot = ca.revoked_at is not None or authority.is_away(ca)
    if cannot or not has_probes(generation, ca.name):
        return False
    try:
        good = x509.load_pem_x509_certificate(read_probes(generation, ca.name).good.certificate_chain)
    except FileError:
        return True
    end_of_new = authority.clock() + min(GOOD_LIFETIME, _left(authority, ca.name))
    return is_due(authority, good) and end_of_new - good.not_valid_after_utc > _WORTH_IT


def canary_file(canaries: Path, ca: str) -> Path:
    """Return where the canary of a CA is kept."""
    return canaries / f"{ca}.pem"


def _canary(authority: Authority, ca: str, canaries: Path, *, keep: bool) -> ProbeIdentity:
    path = canary_file(canaries, ca)
    with suppress(FileError):  # in the place of one that is damaged, or whose revocation is forgotten, comes another
        if path.is_file() and standing_of(authority, kept := read_identity("revoked", path), ca) == Status.REVOKED:
            return kept
    record, identity = issue_probe(authority, Wanted(CLIENT_PROBE, ca, "revoked", _left(authority, ca)))
    revoke_record(authority, record, RevocationReason.SUPERSEDED)
    if keep:
        make_directory(canaries, mode=0o700)
        write_file(path, identity.certificate_chain + identity.private_key, mode=SECRET)
    return identity


def _left(authority: Authority, ca: str) -> timedelta:
    """Return for how long a certificate of this CA can live."""
    return authority.issuer(ca).certificate.not_valid_after_utc - authority.clock() - timedelta(minutes=1)


class Wanted(NamedTuple):
    """A probe of this kind to be issued under ``ca``; ``past`` is when one begins that has expired."""

    profile: Profile
    ca: str
    kind: str
    lifetime: timedelta
    past: datetime | None = None
    names: tuple[x509.GeneralName, ...] = ()


def issue_probe(authority: Authority, wanted: Wanted) -> tuple[CertificateRecord, ProbeIdentity]:
    """Issue one probe, as ``issue_probes`` does."""
    return issue_probes(authority, [wanted])[0]


def issue_probes(authority: Authority, wanted: Sequence[Wanted]) -> list[tuple[CertificateRecord, ProbeIdentity]]:
    """Issue probes together, each with a new key, and return of each its record and what it presents.

    None lives longer than its CA does: in the last week of a CA its sites are deployed and proved, too.
    """
    keys = [generate_key(P256) for _ in wanted]
    prepared = [_prepare(authority, one, key.public_key()) for one, key in zip(wanted, keys, strict=True)]
    return [
        (issued.record, ProbeIdentity(one.kind, issued.chain_pem, encode_private_key(key)))
        for one, key, issued in zip(wanted, keys, sign_and_store_all(authority, prepared), strict=True)
    ]


def _prepare(authority: Authority, wanted: Wanted, key: CertificatePublicKeyTypes) -> Prepared:
    subject = subject_of(f"probe {wanted.kind}", group=PROBE_GROUP)
    lifetime = min(wanted.lifetime, _left(authority, wanted.ca))
    asked = Asked(wanted.profile, subject, wanted.names, key, lifetime, wanted.past)
    return prepare(authority, asked, name=_name(wanted.kind, wanted.ca), issuer=wanted.ca)


def _name(kind: str, ca: str) -> str:
    return f"probe:{kind}:{ca}"


def read_identity(name: str, path: Path) -> ProbeIdentity:
    """Return a probe from the file that ``files_of`` made of it; raises FileError, ``probe.damaged`` for another."""
    content = read_file(path)
    start = max(content.find(_KEY_BEGINS), 0)
    try:
        x509.load_pem_x509_certificates(content[:start])
        load_pem_private_key(content[start:], None)
    except (ValueError, TypeError) as error:
        hint = "counterseal nginx deploy makes new ones"
        raise FileError("probe.damaged", f"not a probe with its key in PEM: {path}", hint=hint) from error
    return ProbeIdentity(name, content[:start], content[start:])
