"""Which of several certificates issued which, and whether those of one file stand in the order that TLS sends them in.

By name and signature, both: a name alone proves nothing. RFC 5280 6.1, RFC 8446 4.4.2 (the order of a chain).
"""

from __future__ import annotations

from collections import defaultdict
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from counterseal.findings import Finding, Severity
from counterseal.pki.lint.linted import Linted
from counterseal.pki.path.candidate import Candidate
from counterseal.pki.path.signature import signature_fault
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cryptography import x509

_CANDIDATES = 16  # of one name; more is not a CA renewed a few times but an attempt to keep us busy

_LONGEST_PATH = 16
_BREAKS = 10  # told of one file; it is in no order then


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether ``issuer`` has the name and the key that signed; what it was allowed to sign is not asked."""
    return certificate.issuer == issuer.subject and signature_fault(Candidate(certificate), Candidate(issuer)) is None


def is_signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Whether the key of ``issuer`` signed the list."""
    try:
        return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type] # another kind of key raises TypeError
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False


class Pool:
    """Certificates among which issuers are looked for."""

    def __init__(self, certificates: Iterable[x509.Certificate]) -> None:
        self._by_subject: dict[bytes, list[x509.Certificate]] = defaultdict(list)
        for certificate in dict.fromkeys(certificates):
            self._by_subject[certificate.subject.public_bytes()].append(certificate)

    def issuer_of(self, certificate: x509.Certificate) -> x509.Certificate | None:
        """Return the certificate that issued this one; itself when it is self-signed; None when it is not here."""
        own_name = certificate.issuer == certificate.subject
        named = (*([certificate] if own_name else []), *self.named(certificate.issuer.public_bytes()))
        return next((one for one in named if is_issued_by(certificate, one)), None)

    def named(self, subject: bytes) -> Iterator[x509.Certificate]:
        """Yield the certificates whose subject is this DER name, not more than a few."""
        return islice(self._by_subject.get(subject, ()), _CANDIDATES)

    def path_of(self, certificate: x509.Certificate) -> tuple[x509.Certificate, ...]:
        """Return the issuers above a certificate as far as they are here, the nearest first, not more than a few."""
        path: list[x509.Certificate] = []
        while (
            len(path) < _LONGEST_PATH
            and (issuer := self.issuer_of(path[-1] if path else certificate))
            and issuer not in (certificate, *path)
        ):
            path.append(issuer)
        return tuple(path)


def arrangement(certificates: Sequence[x509.Certificate]) -> str | None:
    """Say in a sentence what the certificates of one file are together; None for a single one."""
    if len(certificates) < 2:  # noqa: PLR2004 - one certificate is no arrangement
        return None
    ends = [one for one in certificates if not _is_ca(one)]
    if not ends:
        return f"{len(certificates)} CA certificates, as ssl_client_certificate and ssl_trusted_certificate take them"
    if len(ends) == 1 and _is_chain(certificates):
        return "a chain in the order of nginx's ssl_certificate"
    return f"{len(ends)} end-entity and {len(certificates) - len(ends)} CA certificates, not one chain"


def order_findings(certificates: Sequence[x509.Certificate]) -> Iterator[Finding]:
    """Yield what is wrong with the certificates of one file as a chain, or as a set of CAs."""
    yield from _duplicates(certificates)
    ends = [place for place, one in enumerate(certificates, 1) if not _is_ca(one)]
    if len(ends) != 1 or len(certificates) == 1:
        return
    if ends[0] != 1:
        yield _finding(
            "bundle.order",
            Severity.HIGH,
            f"the end-entity certificate stands at place {ends[0]}, and nginx takes the first one for its own",
            "write the end-entity certificate first, then its issuer, and so on",
        )
        return
    yield from islice(_breaks(certificates), _BREAKS)
    if len(certificates) > 1 and certificates[-1].subject == certificates[-1].issuer:
        yield _finding(
            "bundle.trust_anchor",
            Severity.INFO,
            "the trust anchor is in the chain: clients have it, or do not trust it",
        )


def _breaks(certificates: Sequence[x509.Certificate]) -> Iterator[Finding]:
    pool = Pool(certificates)
    for place, (below, above) in enumerate(pairwise(certificates), 2):
        if is_issued_by(below, above):
            continue
        issuer = pool.issuer_of(below)
        elsewhere = certificates.index(issuer) + 1 if issuer is not None and issuer != below else None
        yield _finding(
            "bundle.order",
            Severity.MEDIUM,
            f"certificate {place} ({show_subject(above.subject)}) did not issue the one before it; "
            + (f"number {elsewhere} did" if elsewhere else "none here did"),
            "put every issuer behind what it issued, and leave out what belongs to no chain",
        )


def _duplicates(certificates: Sequence[x509.Certificate]) -> Iterator[Finding]:
    first: dict[x509.Certificate, int] = {}
    for place, certificate in enumerate(certificates, 1):
        if certificate in first:
            yield _finding(
                "bundle.duplicate", Severity.LOW, f"certificate {place} is the same as number {first[certificate]}"
            )
        first.setdefault(certificate, place)


def _is_chain(certificates: Sequence[x509.Certificate]) -> bool:
    return not _is_ca(certificates[0]) and all(is_issued_by(below, above) for below, above in pairwise(certificates))


def _is_ca(certificate: x509.Certificate) -> bool:
    return Linted.of(certificate, ()).is_ca or certificate.subject == certificate.issuer


def _finding(code: str, severity: Severity, message: str, hint: str | None = None) -> Finding:
    return Finding(code, severity, message, hint=hint)
