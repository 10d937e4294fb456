"""Which directive of nginx a verify error concerns, and what our own side cannot accept (OpenSSL 3's reasons)."""

from __future__ import annotations

from counterseal.handshake.symptoms import Cause

_DIRECTIVES = {
    "ssl_client_certificate": frozenset({2, 18, 19, 20, 21}),
    "ssl_verify_depth": frozenset({22}),
    "ssl_crl": frozenset({3, 8, 11, 12, 23, 33, 35, 36, 44}),
}


def directive_for(code: int | None) -> str | None:
    """Return the directive to look at for OpenSSL's verify error ``code``, None where the certificate is at fault."""
    return next((name for name, codes in _DIRECTIVES.items() if code in codes), None)


_WEAK = "the server's key or signature is weaker than this host's OpenSSL takes (security level 2)"
FAULTS: dict[str, tuple[Cause, str | None]] = {
    "UNSUPPORTED_PROTOCOL": (
        Cause(
            "the server chose TLS 1.1 or older, so it speaks none of the versions that this client offers",
            "let the server offer TLS 1.2 and 1.3; without --tls both are asked for",
        ),
        "ssl_protocols TLSv1.2 TLSv1.3;",
    ),
    "DH_KEY_TOO_SMALL": (
        Cause("the server's Diffie-Hellman parameters are too small", "use ECDHE, or parameters of 2048 bits or more"),
        "ssl_ciphers, ssl_dhparam",
    ),
    "EE_KEY_TOO_SMALL": (Cause(_WEAK, "issue the server certificate with P-256 or RSA 2048"), "ssl_certificate"),
    "CA_KEY_TOO_SMALL": (Cause(_WEAK, "replace the CA by one with P-256 or RSA 2048"), "ssl_certificate"),
    "CA_MD_TOO_WEAK": (Cause(_WEAK, "issue the server certificate anew with SHA-256"), "ssl_certificate"),
    "WRONG_SIGNATURE_TYPE": (
        Cause(_WEAK, "issue the server certificate with P-256 or RSA 2048, signed with SHA-256"),
        "ssl_certificate",
    ),
    "WRONG_CURVE": (
        Cause(
            "no group in common: the server chose one that this client has not offered, or has a key on such a curve",
            "let the server take a group of the ClientHello, and give it a certificate with a key on P-256 or of RSA",
        ),
        "ssl_ecdh_curve, ssl_certificate",
    ),
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": (
        Cause("the server does not know secure renegotiation (RFC 5746)", "update the server's TLS library"),
        None,
    ),
    "EXCESSIVE_MESSAGE_SIZE": (
        Cause(
            "the server sends more certificates than clients take, OpenSSL 100 KB: a bundle of CAs stands in its chain",
            "leave in the file the server's certificate and its intermediates, and nothing else",
        ),
        "ssl_certificate",
    ),
    "WRONG_VERSION_NUMBER": (
        Cause("what came is no TLS record of a version that is known", "check the port, and what listens there"),
        None,
    ),
}
OTHER_FAULT = Cause(
    "the server sent something that this host's OpenSSL does not accept", "read the reason, and update the server"
)
