"""What OpenSSL's verification messages mean behind nginx, whose ``$ssl_client_verify`` shows them: ``FAILED:message``.

One table, keyed by OpenSSL's number and message (x509_vfy.h and X509_verify_cert_error_string, 3.0; older spellings
beside them): what it says, the likely cause when the client was meant to be let in, and what mends it. nginx's own two
messages of OCSP have no number.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VerifyReason:
    """One message of OpenSSL or nginx: ``code`` is X509_V_ERR's number, None for nginx's own."""

    code: int | None
    message: str
    cause: str
    fix: str
    aliases: tuple[str, ...] = ()


VERIFY_REASONS = (
    VerifyReason(
        2,
        "unable to get issuer certificate",
        "ssl_client_certificate holds an issuing CA without its root, or ssl_verify_depth is smaller than the number "
        "of intermediates",
        "put the self-signed root into the file beside the issuing CAs, and set ssl_verify_depth to the number of "
        "intermediates",
    ),
    VerifyReason(
        3,
        "unable to get certificate CRL",
        "the CRL of one CA in the chain is missing from ssl_crl (nginx asks for a full one of every CA, the root "
        "included; a partial one does not count), or ssl_verify_depth is smaller than the number of intermediates",
        "put exactly one current, full CRL of the root and of each issuing CA into the ssl_crl file, set "
        "ssl_verify_depth to the number of intermediates, then reload",
    ),
    VerifyReason(
        6,
        "unable to decode issuer public key",
        "a CA in the chain has a key that OpenSSL cannot use",
        "replace the CA by one with P-256, RSA or Ed25519",
    ),
    VerifyReason(
        7,
        "certificate signature failure",
        "the certificate was not signed by the CA it names: forged, damaged, or the CA has a new key",
        "compare the CA's key identifier with the certificate's authority key identifier, and issue it anew",
    ),
    VerifyReason(
        8,
        "CRL signature failure",
        "a CRL in ssl_crl was not signed by the CA it names: damaged, or from the CA's former key",
        "publish the CRL again with the CA's present key, then reload",
    ),
    VerifyReason(
        9,
        "certificate is not yet valid",
        "the client's or a CA's certificate begins in the future, or the clock of the nginx host is behind",
        "set the clock of the nginx host; else wait, or issue the certificate anew",
    ),
    VerifyReason(
        10,
        "certificate has expired",
        "the client's certificate, or a CA's in ssl_client_certificate, is past its not_after, or the clock of the "
        "nginx host is ahead",
        "renew the certificate that expired; an expired root must be replaced on nginx and at every client",
    ),
    VerifyReason(
        11,
        "CRL is not yet valid",
        "the this_update of a CRL lies in the future: the clock of the CA's host is ahead of the nginx host's",
        "set both clocks, publish the CRLs again, then reload",
    ),
    VerifyReason(
        12,
        "CRL has expired",
        "a CRL in ssl_crl is past its next_update: every client of that CA is locked out, and nginx -t is silent",
        "publish new CRLs and reload; refresh them by a timer long before next_update",
    ),
    VerifyReason(
        18,
        "self-signed certificate",
        "the client presents a certificate that signs itself, which no CA of the site issued",
        "issue the client a certificate of the site's client CA",
        ("self signed certificate",),
    ),
    VerifyReason(
        19,
        "self-signed certificate in certificate chain",
        "the client's chain ends in a root that is not in ssl_client_certificate: another CA's file is there, or the "
        "file lacks the root",
        "put the root of the site's client CA into ssl_client_certificate",
        ("self signed certificate in certificate chain",),
    ),
    VerifyReason(
        20,
        "unable to get local issuer certificate",
        "the CA that issued the client's chain is not in ssl_client_certificate (another CA's file is there), or "
        "ssl_verify_depth is smaller than the number of intermediates",
        "put the client CA's root and issuing CAs into ssl_client_certificate, and set ssl_verify_depth to the number "
        "of intermediates",
    ),
    VerifyReason(
        21,
        "unable to verify the first certificate",
        "the CA that issued the certificate is not in ssl_client_certificate, and the client did not send it along "
        "(or another CA's file is there)",
        "put the issuing CAs into ssl_client_certificate beside the root, or have the client send its whole chain",
    ),
    VerifyReason(
        22,
        "certificate chain too long",
        "the chain has more intermediates than ssl_verify_depth allows",
        "set ssl_verify_depth to the number of intermediates",
    ),
    VerifyReason(
        23,
        "certificate revoked",
        "the certificate, or a CA above it, is on a CRL",
        "issue the client a new certificate; a certificate on hold can be released",
    ),
    VerifyReason(
        25,
        "path length constraint exceeded",
        "a CA in the chain has more CAs below it than its pathLenConstraint allows",
        "issue the CA anew with a fitting path length",
    ),
    VerifyReason(
        26,
        "unsuitable certificate purpose",
        "the certificate is not made for clients: extended key usage without clientAuth (anyExtendedKeyUsage alone "
        "does not count), or key usage without digitalSignature",
        "issue the client a certificate of the client profile",
        ("unsupported certificate purpose",),
    ),
    VerifyReason(
        32,
        "key usage does not include certificate signing",
        "the certificate was issued by one that is no CA",
        "issue it from a CA with keyCertSign",
    ),
    VerifyReason(
        33,
        "unable to get CRL issuer certificate",
        "a CRL in ssl_crl is signed by a CA that is not in ssl_client_certificate",
        "put the CA that signs the CRL into ssl_client_certificate; indirect CRLs do not work in nginx",
    ),
    VerifyReason(
        34,
        "unhandled critical extension",
        "the certificate has a critical extension that OpenSSL does not know",
        "issue it anew without the extension, or not critical",
    ),
    VerifyReason(
        35,
        "key usage does not include CRL signing",
        "the CA that signed the CRL has a key usage without cRLSign",
        "issue the CA's certificate anew with cRLSign",
    ),
    VerifyReason(
        36,
        "unhandled critical CRL extension",
        "a CRL in ssl_crl has a critical extension that OpenSSL does not know",
        "give nginx full CRLs only",
    ),
    VerifyReason(
        44,
        "different CRL scope",
        "a CRL in ssl_crl covers only some certificates or reasons (issuing distribution point)",
        "give nginx full CRLs only",
    ),
    VerifyReason(
        47,
        "permitted subtree violation",
        "a name in the certificate lies outside the name constraints of a CA above it",
        "issue the certificate with names that the CA may certify",
    ),
    VerifyReason(
        48,
        "excluded subtree violation",
        "a name in the certificate is excluded by the name constraints of a CA above it",
        "issue the certificate with names that the CA may certify",
    ),
    VerifyReason(
        66,
        "EE certificate key too weak",
        "the client's key is weaker than OpenSSL's security level on the nginx host allows",
        "issue a certificate with P-256 or RSA of 2048 bits or more",
    ),
    VerifyReason(
        67,
        "CA certificate key too weak",
        "the key of a CA in the chain is weaker than OpenSSL's security level on the nginx host allows",
        "replace the CA by one with P-256 or RSA of 2048 bits or more",
    ),
    VerifyReason(
        68,
        "CA signature digest algorithm too weak",
        "a certificate in the chain is signed with SHA-1 or MD5",
        "issue it anew with SHA-256",
    ),
    VerifyReason(
        79,
        "invalid CA certificate",
        "the certificate was issued by one whose basicConstraints do not make it a CA",
        "issue it from a CA",
    ),
    VerifyReason(
        None,
        "certificate status request failed",
        "ssl_ocsp is on and nginx got no answer about the certificate: no responder in it, no resolver, or the "
        "responder is down",
        "see that nginx reaches the responder (counterseal serve, where it is ours), with resolver or "
        "ssl_ocsp_responder; or turn ssl_ocsp off and use CRLs",
    ),
    VerifyReason(
        None,
        "certificate status unknown",
        "ssl_ocsp is on, and the responder does not know the certificate: it answers for another CA, or from a list "
        "that is older",
        "ask a responder that knows what this CA has issued at once (counterseal serve, where it is ours), or turn "
        "ssl_ocsp off and use CRLs",
    ),
)


_BY_MESSAGE = {text: reason for reason in VERIFY_REASONS for text in (reason.message, *reason.aliases)}


def verify_reason(verify: str | None) -> VerifyReason | None:
    """Return the row for a value of ``$ssl_client_verify`` (``FAILED:message``), or None for an unknown message."""
    return _BY_MESSAGE.get((verify or "").removeprefix("FAILED:"))
