"""The kinds of checks: code, title, section of the standard, what a failure means and what mends it.

The page docs/verify.md lists the same, and a test holds the two together. The codes are stable.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of check; ``meaning`` says what a failure means, ``fix`` what to do about it."""

    code: str
    title: str
    section: str
    meaning: str
    fix: str


TRUST_ANCHOR = Kind(
    "trust_anchor",
    "trust anchor",
    "RFC 5280 6.1.1 (d)",
    "the chain ends before it reaches a CA that is trusted: an issuer is missing, or its root is not among the anchors",
    "add the missing issuer to the chain, or trust its root with --trust",
)
SIGNATURE = Kind(
    "signature",
    "signature",
    "RFC 5280 6.1.3 (a)(1)",
    "the certificate was not signed by the key of the CA that it names: damaged, forged, or the CA has a new key",
    "issue the certificate anew, or use the CA certificate with the key that signed it",
)
VALIDITY = Kind(
    "validity",
    "dates",
    "RFC 5280 6.1.3 (a)(2)",
    "the certificate is not valid at the moment of the check: every peer refuses it, whatever level it stands at",
    "renew the certificate, or set the clock right",
)
ISSUER_NAME = Kind(
    "issuer_name",
    "issuer and subject",
    "RFC 5280 6.1.3 (a)(4)",
    "the issuer that the certificate names is not the subject of the certificate above it",
    "put the certificate of the named issuer into the chain",
)
KEY_IDENTIFIER = Kind(
    "key_identifier",
    "key identifiers",
    "RFC 5280 4.2.1.1",
    "the authority key identifier points to another key of the issuer; OpenSSL then does not take it for the issuer",
    "use the CA certificate whose subject key identifier is the one named, or issue the certificate anew",
)
EXTENSIONS = Kind(
    "extensions",
    "extensions",
    "RFC 5280 4.2",
    "the extensions cannot be read or one stands twice, so that two readers could see two different certificates",
    "issue the certificate anew with a CA that encodes extensions correctly",
)
VERSION = Kind(
    "version",
    "version",
    "RFC 5280 4.1.2.1",
    "a version 1 certificate has no extensions: it cannot say what it is for, nor that it is a CA",
    "issue it anew with extensions: openssl needs -extfile or -copy_extensions, counterseal does it",
)
SERIAL_NUMBER = Kind(
    "serial_number",
    "serial number",
    "RFC 5280 4.1.2.2",
    "serial numbers are positive and at most 20 octets; others are refused by some programs and cannot be revoked",
    "issue the certificate anew",
)
CRITICAL_EXTENSIONS = Kind(
    "critical_extensions",
    "critical extensions",
    "RFC 5280 6.1.4 (o), 6.1.5 (e)",
    "the certificate has a critical extension that verifiers do not know, so that they must refuse it",
    "issue it anew without the extension, or not critical",
)
BASIC_CONSTRAINTS = Kind(
    "basic_constraints",
    "basicConstraints",
    "RFC 5280 6.1.4 (k)",
    "the certificate issued another one, but does not say that it is a CA",
    "issue it from a CA; a CA certificate has a critical basicConstraints with CA:TRUE",
)
PATH_LENGTH = Kind(
    "path_length",
    "path length",
    "RFC 5280 6.1.4 (l), (m)",
    "more CAs stand below this one than its pathLenConstraint admits",
    "issue the CA anew with a larger path length, or issue from a CA higher up",
)
KEY_USAGE = Kind(
    "key_usage",
    "key usage",
    "RFC 5280 6.1.4 (n), 4.2.1.3",
    "the key may not be used for this: a CA needs keyCertSign, an end entity of TLS digitalSignature",
    "issue the certificate anew with the key usage that its role needs",
)
EXTENDED_KEY_USAGE = Kind(
    "extended_key_usage",
    "extended key usage",
    "RFC 5280 4.2.1.12",
    "the certificate, or a CA above it, is restricted to other purposes; OpenSSL reads the restriction along the path",
    "issue it with the purpose from a CA for that purpose; anyExtendedKeyUsage alone does not count",
)
NAME_CONSTRAINTS = Kind(
    "name_constraints",
    "name constraints",
    "RFC 5280 6.1.3 (b), (c), 4.2.1.10",
    "a name in the certificate is one that a CA above it may not certify",
    "issue the certificate with names inside the permitted subtrees, or from another CA",
)
POLICIES = Kind(
    "policies",
    "certificate policies",
    "RFC 5280 6.1.3 (d)-(f), 6.1.5 (g)",
    "a CA requires a certificate policy that holds along the whole path, and none does",
    "issue the certificates with the policy that policyConstraints asks for",
)
KEY_STRENGTH = Kind(
    "key_strength",
    "key strength",
    "RFC 9325 4.5",
    "the key is so weak, or of such a kind, that TLS peers refuse it",
    "make a new key: P-256, or RSA of 2048 bits or more",
)
SIGNATURE_ALGORITHM = Kind(
    "signature_algorithm",
    "signature algorithm",
    "RFC 9325 4.5, RFC 5280 4.1.1.2",
    "the certificate is signed with an algorithm that TLS peers refuse, or names two different ones",
    "issue it anew with SHA-256 or better",
)
SUBJECT_ALTERNATIVE_NAME = Kind(
    "subject_alternative_name",
    "subject alternative name",
    "RFC 5280 4.2.1.6",
    "the certificate has no names that a verifier could compare, or none that it must heed",
    "issue it anew with its names as subject alternative names",
)
NAME = Kind(
    "name",
    "name of the peer",
    "RFC 9525 6",
    "none of the names in the certificate is the one that was asked for; the common name is not looked at",
    "connect by a name of the certificate, or issue it anew with the name as a subject alternative name",
)
DEPTH = Kind(
    "depth",
    "depth",
    "ssl_verify_depth",
    "more CAs stand between the certificate and the trust anchor than the depth admits",
    "set the depth (ssl_verify_depth) to the number of intermediates",
)
CRL = Kind(
    "crl",
    "revocation list",
    "RFC 5280 6.3.3",
    "there is no usable revocation list of this issuer, so that nobody can tell what is revoked",
    "publish a full CRL of every CA of the path, root included, and refresh it before its next_update",
)
OCSP = Kind(
    "ocsp",
    "OCSP response",
    "RFC 6960 3.2",
    "the OCSP response cannot be believed, so that it says nothing about the certificate",
    "ask the responder again; it must answer for this certificate, signed by the CA or by its delegate, and be fresh",
)
REVOCATION = Kind(
    "revocation",
    "revocation",
    "RFC 5280 6.3.3 (i), (j)",
    "the certificate is revoked",
    "issue a new certificate for a new key; a certificate on hold can be released",
)
SEARCH = Kind(
    "search",
    "search for paths",
    "RFC 4158 2.4.2",
    "the certificates given allow so many paths that not all of them were tried",
    "give only the certificates that belong to the chain",
)

KINDS: tuple[Kind, ...] = (
    TRUST_ANCHOR,
    SIGNATURE,
    ISSUER_NAME,
    KEY_IDENTIFIER,
    VALIDITY,
    EXTENSIONS,
    VERSION,
    SERIAL_NUMBER,
    CRITICAL_EXTENSIONS,
    KEY_STRENGTH,
    SIGNATURE_ALGORITHM,
    BASIC_CONSTRAINTS,
    PATH_LENGTH,
    KEY_USAGE,
    EXTENDED_KEY_USAGE,
    NAME_CONSTRAINTS,
    POLICIES,
    SUBJECT_ALTERNATIVE_NAME,
    NAME,
    DEPTH,
    CRL,
    OCSP,
    REVOCATION,
    SEARCH,
)
