"""The one path on which a CA key signs a certificate: reserve, lint, sign, store.

Nothing else asks a CA's signer for one, but ``create`` for a root's own, before which there is no CA to reserve under.

The serial number is in the store before anything is signed, and the certificate leaves only after it is stored together
with its entry in the key-use log; a crash in between loses at most a certificate that nobody received. A batch walks
the same path in chunks: many numbers are reserved at once, drafts checked and signed beside each other, and many
certificates stored at once.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509

from counterseal.errors import RefusedError, StoreError
from counterseal.findings import Finding, Severity
from counterseal.moments import epoch
from counterseal.pki.certificate import Draft
from counterseal.pki.lint import lint
from counterseal.pki.names import names_in, show_name
from counterseal.pki.pem import encode_certificates
from counterseal.pki.subject import organizational_units, show_subject
from counterseal.store.records import CertificateRecord, NewKeyUse, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from counterseal.authority.parts import Authority
    from counterseal.pki.certificate import Issuer
    from counterseal.pki.signer import Signer


class Issued(NamedTuple):
    """A certificate that was stored: its record, itself, and what there was to remark about it."""

    record: CertificateRecord
    certificate: x509.Certificate
    issuer: Issuer
    remarks: tuple[Finding, ...] = ()

    @property
    def chain_pem(self) -> bytes:
        """What is sent, in PEM: the certificate first, the trust anchor left out."""
        return encode_certificates(self.certificate, *self.issuer.chain)


def check_draft(draft: Draft, path: Sequence[x509.Certificate]) -> tuple[x509.Certificate, tuple[Finding, ...]]:
    """Return the draft as a readable certificate with its remarks; raises RefusedError ``lint.refused``."""
    preview = draft.preview()
    findings = lint(preview, path)
    if any(finding.severity is Severity.CRITICAL for finding in findings):
        raise RefusedError(
            "lint.refused", f"the certificate would be faulty: {show_subject(preview.subject)}", findings=findings
        )
    return preview, findings


class Prepared(NamedTuple):
    """A draft that passed the rules, with all it takes to sign and store it: the three steps below, in their order."""

    draft: Draft
    preview: x509.Certificate
    issuer: Issuer
    signer: Signer
    name: str
    profile: str
    remarks: tuple[Finding, ...] = ()

    def sign(self) -> bytes:
        """Return the DER certificate, signed; only after ``reserve`` is durable. Raises KeyAccessError."""
        return self.draft.sign(self.signer)


def prepare_draft(draft: Draft, issuer: Issuer, signer: Signer, *, name: str, profile: str) -> Prepared:
    """Lint the draft, which nothing has signed yet; raises RefusedError ``lint.refused``."""
    preview, remarks = check_draft(draft, issuer.path)
    return Prepared(draft, preview, issuer, signer, name, profile, remarks)


def reserve(authority: Authority, prepared: Prepared) -> bool:
    """Take the serial number, durable before anything is signed; raises StoreError.

    Returns whether it is so already: one that was reserved ahead. Another one is when this transaction is.
    """
    issuer, number = prepared.issuer.name, prepared.preview.serial_number
    if authority.ahead is not None and authority.ahead.use(issuer, number):
        return True
    reserve_number(authority, number, issuer=issuer, name=prepared.name, profile=prepared.profile)
    return False


def reserve_number(authority: Authority, number: int, *, issuer: str, name: str, profile: str) -> None:
    """Take a new serial number of the CA, durable when this transaction is; raises StoreError."""
    at = epoch(authority.clock())
    authority.store.reserve(number, issuer=issuer, name=name, profile=profile, at=at, actor=authority.actor)


def record(
    authority: Authority, prepared: Prepared, content: bytes, before: Callable[[Issued], object] = lambda _issued: None
) -> Issued:
    """Store what was signed with its entry in the key-use log; only then may it leave. Raises StoreError.

    ``before`` is done just before, because whoever appends to the log holds up all others until its commit.
    """
    preview, issuer = prepared.preview, prepared.issuer
    row = record_of(
        preview,
        content,
        issuer=issuer.name,
        name=prepared.name,
        profile=prepared.profile,
        at=epoch(authority.clock()),
        actor=authority.actor,
    )
    use = key_use(authority, issuer.name, "certificate", prepared.draft.tbs, preview.serial_number)
    issued = Issued(row, x509.load_der_x509_certificate(content), issuer, prepared.remarks)
    before(issued)
    authority.store.record(row, use)
    return issued


def sign_and_store(authority: Authority, prepared: Prepared) -> Issued:
    """Take the three steps one after the other; raises StoreError, KeyAccessError."""
    reserve(authority, prepared)
    return record(authority, prepared, prepared.sign())


def sign_and_store_all(authority: Authority, several: Sequence[Prepared]) -> list[Issued]:
    """Take each of the three steps for several together: two commits in all; raises StoreError, KeyAccessError."""
    with authority.store.transaction():
        for prepared in several:
            reserve(authority, prepared)
    signed = [prepared.sign() for prepared in several]
    with authority.store.transaction():
        return [record(authority, prepared, content) for prepared, content in zip(several, signed, strict=True)]


def sign_drafts(signer: Signer, drafts: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Sign TBSCertificates that passed the rules, whose serial numbers are reserved.

    Returns each DER certificate with the SHA-256 of what was signed; both must be recorded before any of it may leave.
    """
    algorithm = signer.signature_algorithm
    signatures = [signer.sign(tbs) for tbs in drafts]
    return [
        (Draft(tbs, algorithm).certificate(signature), sha256(tbs).digest())
        for tbs, signature in zip(drafts, signatures, strict=True)
    ]


def key_use(authority: Authority, ca: str, action: str, signed: bytes, serial_number: int | None) -> NewKeyUse:
    """Return what the key-use log says about one signature: who, what, when, and the hash of what was signed."""
    return NewKeyUse(
        at=epoch(authority.clock()),
        actor=authority.actor,
        action=action,
        ca=ca,
        serial_number=serial_number,
        digest=sha256(signed).digest(),
    )


def log_discarded(authority: Authority, use: NewKeyUse) -> None:
    """Log a signature that nobody gets; where the store takes nothing, whoever keeps another log is told."""
    try:
        authority.store.append_key_use(use)
    except StoreError as error:
        authority.tell_unrecorded(use, error)


def record_of(
    certificate: x509.Certificate,
    content: bytes | None = None,
    *,
    issuer: str,
    name: str,
    profile: str,
    at: int,
    actor: str,
) -> CertificateRecord:
    """Return the inventory's row for a certificate; ``content`` is its DER, None as long as it is not signed."""
    groups = organizational_units(certificate.subject)
    return CertificateRecord(
        serial_number=certificate.serial_number,
        issuer=issuer,
        name=name,
        subject=show_subject(certificate.subject),
        names=tuple(show_name(general_name) for general_name in names_in(certificate.extensions)),
        profile=profile,
        group=groups[0] if groups else None,
        status=Status.VALID,
        not_before=epoch(certificate.not_valid_before_utc),
        not_after=epoch(certificate.not_valid_after_utc),
        certificate=content,
        created_at=at,
        created_by=actor,
        revoked_at=None,
        revocation_reason=None,
    )
