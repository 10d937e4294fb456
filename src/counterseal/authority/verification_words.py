"""What the library, OpenSSL and nginx say of a certificate, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cryptography

from counterseal.handshake.explain.nginx_log import log_line as log_of
from counterseal.handshake.peer_causes import MISDIRECTED_REQUEST
from counterseal.handshake.symptoms import Cause
from counterseal.handshake.verify_reasons import VERIFY_REASONS
from counterseal.nginx.client_verification import CERTIFICATE_ERROR, MISDIRECTED, PLAIN_HTTP
from counterseal.pki.openssl.codes import Error
from counterseal.pki.openssl.release import DELTAS_PASSED_OVER_FROM
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.authority.verification import AsNginx, Verified
    from counterseal.handshake.verify_reasons import VerifyReason
    from counterseal.nginx.client_verification import NginxAnswer
    from counterseal.pki.openssl.verify import Verification

REASONS: dict[int | None, VerifyReason] = {reason.code: reason for reason in VERIFY_REASONS}
_BEFORE = {
    MISDIRECTED: MISDIRECTED_REQUEST,
    PLAIN_HTTP: Cause("the client was given http:// in place of https://", "write https:// at the client"),
}
"""What nginx refuses before it looks at any certificate."""
_OF_DEPTH = {Error.UNABLE_TO_GET_ISSUER_CERT, Error.UNABLE_TO_GET_CRL, Error.UNABLE_TO_GET_ISSUER_CERT_LOCALLY}
_TOO_DEEP = Cause(
    "ssl_verify_depth is smaller than the number of intermediates, so that the chain ends before its root",
    "set ssl_verify_depth to the number of intermediates, then reload",
)
"""What else a chain lacks that was cut short is seen when it no longer is."""


def error_message(error: Error) -> str:
    """Return OpenSSL's own text for a number."""
    return REASONS[error].message if error else "ok"


def opinion_words(verified: Verified) -> Iterator[str]:
    """Yield what the cryptography library decides, and that it is another verdict where it is."""
    opinion = verified.opinion
    who = f"cryptography {cryptography.__version__}"
    if opinion.accepts is None:
        yield f"{who}: {opinion.reason}"
        return
    yield f"{who}: {'accepts' if opinion.accepts else f'refuses: {opinion.reason}'}"
    if opinion.disagrees:
        verdict = "accepts what fails here" if opinion.accepts else "refuses what passes here"
        yield f"disagreement: the library {verdict}; look at both reasons before relying on either"


def openssl_words(verified: Verified) -> Iterator[str]:
    """Yield at which error OpenSSL stops, and an older one where that is another; names are not its business here."""
    if verified.older_openssl is None:
        yield f"OpenSSL: {_openssl(verified.openssl)}"
        return
    yield f"OpenSSL {DELTAS_PASSED_OVER_FROM} or newer: {_openssl(verified.openssl)}"
    yield f"older OpenSSL: {_openssl(verified.older_openssl)}; it takes a delta for a full list"


def _openssl(told: Verification) -> str:
    if not told.errors:
        return "accepts (names not compared)"
    error, depth = told.errors[0]
    return f"refuses with {error.value} ({error_message(error)}) at depth {depth}"


def log_line(answer: NginxAnswer) -> str | None:
    """Return what nginx writes into its error log at level info; None when it admits."""
    if answer.code is None:
        return None
    if answer.code != CERTIFICATE_ERROR:
        return log_of(answer.code).text
    return f"client SSL certificate verify error: ({answer.error.value}:{error_message(answer.error)})"


def verify_variable(answer: NginxAnswer) -> str:
    """Return the value of ``$ssl_client_verify``."""
    if answer.verification is None:
        return "NONE"
    return f"FAILED:{error_message(answer.error)}" if answer.error else "SUCCESS"


def cause_of(answer: NginxAnswer) -> Cause | None:
    """Return why nginx refuses and what mends it; None when it admits without a word."""
    if answer.error in _OF_DEPTH and is_too_deep(answer):
        return _TOO_DEEP
    if answer.error:
        return Cause(REASONS[answer.error].cause, REASONS[answer.error].fix)
    return _BEFORE.get(answer.code or 0)


def is_too_deep(answer: NginxAnswer) -> bool:
    """Whether ``ssl_verify_depth`` ended the chain; OpenSSL reports it and then overwrites the number."""
    found = answer.verification
    return found is not None and any(error is Error.CERT_CHAIN_TOO_LONG for error, _ in found.errors)


def _chain_words(answer: NginxAnswer) -> Iterator[str]:
    """Yield the chain that nginx builds, and whether it is the depth that ends it."""
    found = answer.verification
    if found is not None:
        names = " < ".join(show_subject(certificate.subject) or "(no subject)" for certificate in found.chain)
        ended = "; ssl_verify_depth admits no more" if is_too_deep(answer) else ""
        yield f"chain that nginx builds: {names}{ended}"


def nginx_words(verified: Verified) -> Iterator[str]:
    """Yield what nginx answers, what it logs, the likely cause and the fix, and what other versions do.

    Nothing where it was not asked for.
    """
    if verified.nginx is None:
        return
    yield from _heading(verified.nginx)
    if verified.nginx.answer is not None:
        yield from _answer_words(verified.nginx.answer)
    for other in verified.other_nginx:
        yield from _heading(other)


def _heading(told: AsNginx) -> Iterator[str]:
    if told.answer is None:
        yield f"{told.who}: does not start: {told.emerg}"
        return
    code = f" ({told.answer.code})" if told.answer.code else ""
    yield f"{told.who}: {told.answer.status}{code}, $ssl_client_verify is {verify_variable(told.answer)}"


def _answer_words(answer: NginxAnswer) -> Iterator[str]:
    line = log_line(answer)
    if line is not None:
        yield f"error.log, at level info: {line}"
    if answer.error:
        yield from _chain_words(answer)
    cause = cause_of(answer)
    if cause is not None:
        yield f"cause: {cause.cause}"
        yield f"fix: {cause.fix}"
    for issuer in answer.undecided:
        yield (
            f"undecided: two revocation lists of {show_subject(issuer)} have the same date; on glibc (Debian, Ubuntu) "
            "nginx takes the first, as is said here, on musl (Alpine) it may take the last"
        )
