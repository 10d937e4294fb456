"""What the library, OpenSSL and nginx say of a certificate, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cryptography

from counterseal.handshake.verify_reasons import VERIFY_REASONS
from counterseal.pki.openssl.codes import Error
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.authority.verification import Verified
    from counterseal.handshake.verify_reasons import VerifyReason
    from counterseal.nginx.client_verification import NginxAnswer

REASONS: dict[int | None, VerifyReason] = {reason.code: reason for reason in VERIFY_REASONS}
NO_CERTIFICATE = "client sent no required SSL certificate"


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
    """Yield at which error OpenSSL stops; names are not its business here."""
    told = verified.openssl
    if not told.errors:
        yield "OpenSSL: accepts (names not compared)"
        return
    error, depth = told.errors[0]
    yield f"OpenSSL: refuses with {error.value} ({error_message(error)}) at depth {depth}"


def log_line(answer: NginxAnswer) -> str | None:
    """Return what nginx writes into its error log at level info; None when it admits."""
    if answer.code is None:
        return None
    if answer.verification is None:
        return NO_CERTIFICATE
    return f"client SSL certificate verify error: ({answer.error.value}:{error_message(answer.error)})"


def verify_variable(answer: NginxAnswer) -> str:
    """Return the value of ``$ssl_client_verify``."""
    if answer.verification is None:
        return "NONE"
    return f"FAILED:{error_message(answer.error)}" if answer.error else "SUCCESS"


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
    """Yield what nginx answers, what it logs, the likely cause and the fix; nothing where it was not asked for."""
    if verified.emerg is not None:
        yield f"nginx: does not start: {verified.emerg}"
    if verified.nginx is None:
        return
    answer = verified.nginx
    code = f" ({answer.code})" if answer.code else ""
    yield f"nginx: {answer.status}{code}, $ssl_client_verify is {verify_variable(answer)}"
    line = log_line(answer)
    if line is not None:
        yield f"error.log, at level info: {line}"
    if answer.error:
        yield from _chain_words(answer)
        yield f"cause: {REASONS[answer.error].cause}"
        yield f"fix: {REASONS[answer.error].fix}"
    for issuer in answer.undecided:
        yield (
            f"undecided: two revocation lists of {show_subject(issuer)} have the same date; one nginx takes the first, "
            "another the last"
        )
