"""Why a server that ends TLS over a client's certificate does so, where it says little.

Go calls whatever it refuses bad_certificate, Java certificate_unknown, GnuTLS's server access_denied, and Node closes
without a word. So the CAs that the server names and our own checks of the certificate decide, and then the alert. None
of this is nginx, which answers in HTTP: its words are in ``answers``. RFC 8446 4.4.2.4 and 6.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.authorities import Listed
from counterseal.handshake.explain.certificates import is_alone, read_certificates, show_authorities, show_authority
from counterseal.handshake.peer_causes import CERTIFICATE_WITHHELD, NO_PATH
from counterseal.handshake.symptoms import Cause
from counterseal.handshake.verify_reasons import VERIFY_REASONS

if TYPE_CHECKING:
    from counterseal.handshake.explain.situation import Situation

_REQUIRED = Cause(
    "the server requires a client certificate and ends the handshake without one; nginx would answer 400 instead, so "
    "another program ends TLS here",
    "come with a certificate of one of the accepted CAs: --name, --cert and --key, or --p12",
)
_EXPIRED = Cause(
    "the client's certificate, or that of a CA above it, has expired, or the server's clock is ahead",
    "renew what has expired, see the checks of the client; else set the server's clock",
)
_EARLY = Cause(
    "the client's certificate, or that of a CA above it, is not yet valid, or the server's clock is behind",
    "set both clocks; else wait, or issue the certificate anew",
)
_WEAK = Cause(
    "a key in the client's chain is weaker than the server's TLS library takes",
    "issue the certificate with P-256 or RSA of 2048 bits or more, from a CA with such a key",
)
_REASONS = {
    **{
        reason.code: Cause(reason.cause, reason.fix)
        for reason in VERIFY_REASONS
        if reason.code and reason.code not in NO_PATH  # whom a server trusts that names nobody is not known here
    },
    9: _EARLY,
    10: _EXPIRED,
    66: _WEAK,
    67: _WEAK,
}
"""By OpenSSL's number; those of the server's own files (depth, CRL) are never predicted."""
_UNKNOWN_CA = Cause(
    "the server trusts no CA above the client's certificate, or an intermediate is missing on the way to it",
    "send the whole chain, and give the server the CA that issued it",
)
_UNSEEN = Cause(
    "the server does not take the client's certificate, and our own checks find nothing wrong with it: what is left is "
    "the server's own: it trusts another CA of the same name, has the certificate on a list of revoked ones, or lacks "
    "an intermediate that the client did not send",
    "send the whole chain; read the server's log at the same second",
)
_SAID = {
    "certificate_revoked": Cause("the client's certificate is revoked", "issue the client a new certificate"),
    "certificate_expired": Cause(
        "the client's certificate is in its dates here, so it is one of the server's own: a CA's certificate or a CRL "
        "that it holds has expired, or its clock is ahead",
        "look at the dates of the server's CA certificates and CRLs, and at its clock",
    ),
    "unsupported_certificate": Cause(
        "the client's certificate is not made for clients, or has a kind of key that the server does not take",
        "issue the client a certificate of the client profile",
    ),
    "decrypt_error": Cause(
        "a signature does not verify: the private key does not belong to the certificate", "use the right key"
    ),
    "unknown_ca": _UNKNOWN_CA,
}
REFUSALS = frozenset(_SAID) | {"bad_certificate", "certificate_unknown", "access_denied", "internal_error"}
"""Alerts that are about the client's certificate once it has been sent."""


def missing_cause(case: Situation) -> Cause:
    """Return why nobody gets in who sends no certificate."""
    return CERTIFICATE_WITHHELD if case.withheld else _REQUIRED


def is_at_fault(case: Situation) -> bool:
    """Whether anything is seen to be wrong with the certificate that the client sent."""
    return case.listed is Listed.NONE or case.likely in _REASONS or bool(case.failures)


def refused_cause(case: Situation, alert: str | None = None) -> Cause:
    """Return why the certificate that the client sent is refused, with this ``alert`` or without one."""
    if alert == "certificate_revoked":
        return _SAID[alert]
    if case.listed is Listed.NONE:
        return _not_named(case)
    known = None if case.likely is None else _REASONS.get(case.likely)
    return known or _failed(case) or _SAID.get(alert or "") or _UNSEEN


def _failed(case: Situation) -> Cause | None:
    """Name what nginx would not look at and others do, such as the dates of a CA that is sent and held as well."""
    if not case.failures:
        return None
    return Cause(
        f"the client's certificate, or one sent with it, fails a check: {', '.join(case.failures)}",
        "look at the checks of the client: each says what was compared, and what mends it",
    )


def _not_named(case: Situation) -> Cause:
    """Neither the certificate nor what was sent with it is of a CA that the server names."""
    chain, request = read_certificates(case.story.client_chain), case.story.request
    if not chain or request is None:
        return _UNKNOWN_CA
    missing = ", or the intermediate between them was not sent" if is_alone(chain) else ""
    return Cause(
        f"the server takes certificates of {show_authorities(request.authorities)}; this one is of "
        f"{show_authority(chain[-1].issuer.public_bytes())}{missing}",
        "come with a certificate of a CA that the server names, with its whole chain; or give the server the CA that "
        "issued this one",
    )
