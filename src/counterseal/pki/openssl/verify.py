"""The entrance: what OpenSSL reports about a chain, in its order (X509_verify_cert)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.pki.openssl.chain import Chain, build_chain, build_errors
from counterseal.pki.openssl.codes import Error
from counterseal.pki.openssl.extensions import (
    end_entity_key_errors,
    extension_errors,
    name_constraint_errors,
    strength_errors,
)
from counterseal.pki.openssl.relation import likely_issued
from counterseal.pki.openssl.revocation import revocation_errors
from counterseal.pki.path.candidate import Candidate
from counterseal.pki.path.signature import signature_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from counterseal.pki.profile import Purpose

DEFAULT_DEPTH = 100
SECURITY_LEVEL = 2
"""Debian's, and OpenSSL's own since 3.2; before that it was 1."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What OpenSSL reported: the chain it built, end entity first, and each error with its depth, in order."""

    chain: tuple[x509.Certificate, ...]
    errors: tuple[tuple[Error, int], ...]

    @property
    def first(self) -> Error:
        """The error at which a program stops that lets OpenSSL decide: curl, Python, ``openssl verify``."""
        return self.errors[0][0] if self.errors else Error.OK

    @property
    def last(self) -> Error:
        """The error that stands when every one is passed over, as nginx does."""
        return self.errors[-1][0] if self.errors else Error.OK


def verify(
    end_entity: x509.Certificate,
    sent: Sequence[x509.Certificate],
    store: Sequence[x509.Certificate],
    *,
    purpose: Purpose,
    at: datetime,
    depth: int = DEFAULT_DEPTH,
    crls: Sequence[x509.CertificateRevocationList] | None = None,
    security_level: int = SECURITY_LEVEL,
    takes_deltas: bool = True,
) -> Verification:
    """Return what OpenSSL reports; ``crls`` None means that no revocation is checked, as without ``ssl_crl``.

    ``takes_deltas``: whether it takes a delta for a full list, as before 3.0.22 and 3.5.8.

    Names are not compared: a server does not do it for a client.
    """
    moment = at.replace(microsecond=0)
    chain = build_chain(
        Candidate(end_entity),
        [Candidate(one) for one in sent if one != end_entity],
        [Candidate(one) for one in dict.fromkeys(store)],
        depth=depth,
        at=moment,
    )
    members = chain.members
    errors = [
        *end_entity_key_errors(members[0], security_level),
        *build_errors(chain),
        *extension_errors(members, purpose),
        *strength_errors(members, security_level),
        *(() if crls is None else revocation_errors(members, crls, moment, takes_deltas=takes_deltas)),
        *_signature_errors(chain, moment),
        *name_constraint_errors(members),
    ]
    return Verification(tuple(member.certificate for member in members), tuple(errors))


def _signature_errors(chain: Chain, at: datetime) -> Iterator[tuple[Error, int]]:
    """Yield the errors of internal_verify: signatures and dates from the top of the chain down."""
    members = chain.members
    depth = len(members) - 1
    if not likely_issued(members[depth], members[depth]):
        if depth == 0:
            yield Error.UNABLE_TO_VERIFY_LEAF_SIGNATURE, 0
            return
        depth -= 1
    else:
        yield from _date_errors(members[depth], depth, at)  # what signs itself is not verified
        depth -= 1
    for position in range(depth, -1, -1):
        yield from _issuance_errors(members[position], members[position + 1], position)
        yield from _date_errors(members[position], position, at)


def _issuance_errors(subject: Candidate, issuer: Candidate, depth: int) -> Iterator[tuple[Error, int]]:
    usage = issuer.value(x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        yield Error.KEYUSAGE_NO_CERTSIGN, depth + 1
    if issuer.public_key is None:
        yield Error.UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, depth + 1
    elif signature_fault(subject, issuer) is not None:
        yield Error.CERT_SIGNATURE_FAILURE, depth


def _date_errors(member: Candidate, depth: int, at: datetime) -> Iterator[tuple[Error, int]]:
    if member.certificate.not_valid_before_utc > at:
        yield Error.CERT_NOT_YET_VALID, depth
    if member.certificate.not_valid_after_utc <= at:
        yield Error.CERT_HAS_EXPIRED, depth
