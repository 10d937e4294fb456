"""OpenSSL's choice of a CRL for each certificate of the chain, and its checks of that CRL (check_revocation).

As nginx asks for it: CRL_CHECK and CRL_CHECK_ALL, so the root needs a list too; indirect lists are passed
over. A delta is taken for a full list: OpenSSL looked for its indicator only where it follows indirect lists, too.
From 3.5.8 on, and from the releases of that summer on other branches, it is passed over (openssl/openssl#31044).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from counterseal.pki.constraints import comparable
from counterseal.pki.openssl.codes import Error
from counterseal.pki.openssl.relation import likely_issued, names_key_of
from counterseal.pki.path.crl_scope import UNREADABLE, covers, entry_of, is_delta, is_followed, readable, scope_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from counterseal.pki.path.candidate import Candidate

_NO_CRITICAL, _SCOPE, _TIME = 0x100, 0x080, 0x040  # CRL_SCORE_*
_KNOWN_CRITICAL = frozenset({"2.5.29.27", "2.5.29.28", "2.5.29.35"})  # delta indicator, scope, AKI


def revocation_errors(
    members: Sequence[Candidate],
    crls: Sequence[x509.CertificateRevocationList],
    at: datetime,
    *,
    takes_deltas: bool = True,
) -> Iterator[tuple[Error, int]]:
    """Yield the errors of check_revocation, from the end entity up to the root itself."""
    known = [crl for crl in readable(crls) if takes_deltas or not is_delta(crl)]
    for depth, member in enumerate(members):
        issuer = members[min(depth + 1, len(members) - 1)]
        scored = [(score, crl) for crl in known if (score := _score(crl, member, issuer, at)) is not None]
        if not scored:
            yield Error.UNABLE_TO_GET_CRL, depth
            continue
        best = max(scored, key=lambda one: (one[0], one[1].last_update_utc))  # of equal ones max takes the first
        for error in _crl_errors(*best, member, issuer, at):
            yield error, depth


def undecided_issuers(crls: Sequence[x509.CertificateRevocationList]) -> tuple[x509.Name, ...]:
    """Return the issuers of which two lists are the newest: which one counts is left to how the store is sorted.

    With glibc, whose sort is stable, it is the first of the file, as is foretold; with musl it may be the last.
    """
    newest: dict[x509.Name, list[datetime]] = {}
    for crl in readable(crls):
        newest.setdefault(crl.issuer, []).append(crl.last_update_utc)
    return tuple(issuer for issuer, dates in newest.items() if dates.count(max(dates)) > 1)


def _score(crl: x509.CertificateRevocationList, member: Candidate, issuer: Candidate, at: datetime) -> int | None:
    """Return how well a list fits (get_crl_score); None when it is not considered at all."""
    scope = scope_of(crl)
    if tuple(comparable(crl.issuer)) != member.issuer_key:
        return None
    if not is_followed(scope) or not names_key_of(issuer, _authority_key_identifier(crl)):
        return None
    return (
        (0 if _critical(crl) - _KNOWN_CRITICAL else _NO_CRITICAL)
        + (_SCOPE if covers(scope, member) else 0)
        + (0 if list(_time_errors(crl, at)) else _TIME)
    )


def _crl_errors(
    score: int, crl: x509.CertificateRevocationList, member: Candidate, issuer: Candidate, at: datetime
) -> Iterator[Error]:
    """check_crl and then cert_crl; every error is passed over, as nginx's callback does."""
    if issuer is member and not likely_issued(issuer, issuer):
        yield Error.UNABLE_TO_GET_CRL_ISSUER
    usage = issuer.value(x509.KeyUsage)
    if usage is not None and not usage.crl_sign:
        yield Error.KEYUSAGE_NO_CRL_SIGN
    if not score & _SCOPE:
        yield Error.DIFFERENT_CRL_SCOPE
    if not score & _TIME:
        yield from _time_errors(crl, at)
    if not _is_signed(crl, issuer):
        yield Error.CRL_SIGNATURE_FAILURE
    if not score & _NO_CRITICAL:
        yield Error.UNHANDLED_CRITICAL_CRL_EXTENSION
    with suppress(*UNREADABLE):
        if entry_of(crl, member.certificate.serial_number) is not None:
            yield Error.CERT_REVOKED
    if not score & _SCOPE:
        yield Error.UNABLE_TO_GET_CRL  # no reasons were covered, and there is no other list


def _time_errors(crl: x509.CertificateRevocationList, at: datetime) -> Iterator[Error]:
    if crl.last_update_utc > at:
        yield Error.CRL_NOT_YET_VALID
    if crl.next_update_utc is not None and crl.next_update_utc <= at:
        yield Error.CRL_HAS_EXPIRED


def _is_signed(crl: x509.CertificateRevocationList, issuer: Candidate) -> bool:
    try:
        return crl.is_signature_valid(issuer.public_key)  # type: ignore[arg-type] # other kinds are a TypeError
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False


def _critical(crl: x509.CertificateRevocationList) -> set[str]:
    try:
        return {extension.oid.dotted_string for extension in crl.extensions if extension.critical}
    except UNREADABLE:
        return set()


def _authority_key_identifier(crl: x509.CertificateRevocationList) -> x509.AuthorityKeyIdentifier | None:
    try:
        return crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return None
