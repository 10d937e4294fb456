"""Rules about what a certificate may be used for, along the path that really issues it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from counterseal.pki.lint.linted import Linted, error, public_key_of, warning
from counterseal.pki.shown import counted
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.findings import Finding
    from counterseal.pki.lint.linted import Rule


def basic_constraints(linted: Linted) -> Iterator[Finding]:
    """A CA says so in a critical extension (RFC 5280 4.2.1.9)."""
    extension = linted.extension(x509.BasicConstraints)
    if extension and extension.value.ca and not extension.critical:
        yield error("lint.basic_constraints", "basicConstraints of a CA is not critical")


def issuer_may_sign(linted: Linted) -> Iterator[Finding]:
    """Every certificate above is a CA with keyCertSign (RFC 5280 6.1.4 k and n)."""
    for (issuer, constraints), (_, usage) in zip(
        linted.above(x509.BasicConstraints), linted.above(x509.KeyUsage), strict=True
    ):
        if constraints is None or not constraints.value.ca:
            yield error("lint.issuer_not_ca", f"the issuer is no CA: {show_subject(issuer.subject)}")
        if usage is not None and not usage.value.key_cert_sign:
            yield error(
                "lint.issuer_key_usage", f"the issuer may not sign certificates: {show_subject(issuer.subject)}"
            )


def path_length(linted: Linted) -> Iterator[Finding]:
    """No more CAs stand below an issuer than its path length admits (RFC 5280 4.2.1.9)."""
    below = 1 if linted.is_ca else 0
    for depth, (issuer, constraints) in enumerate(linted.above(x509.BasicConstraints)):
        limit = constraints.value.path_length if constraints else None
        if limit is not None and depth + below > limit:
            yield error(
                "lint.path_length",
                f"{show_subject(issuer.subject)} admits {counted(limit, 'CA')} below it, not {depth + below}",
            )


def usage_along_path(linted: Linted) -> Iterator[Finding]:
    """Whatever the certificate is for, every CA of its path that names usages names that one too.

    RFC 5280 leaves it open; OpenSSL and so nginx, Windows and Go all check it. An OCSP responder is its CA's delegate,
    which no CA names (RFC 6960 4.2.2.2).
    """
    wanted = linted.value(x509.ExtendedKeyUsage)
    for issuer, allowed in linted.above(x509.ExtendedKeyUsage) if wanted else ():
        if allowed is None or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in allowed.value:
            continue
        for usage in wanted or ():
            if usage not in allowed.value and usage != ExtendedKeyUsageOID.OCSP_SIGNING:
                yield error(
                    "lint.usage_path",
                    f"extended key usage {usage._name} is not among those of {show_subject(issuer.subject)}",  # noqa: SLF001 - the library's only name for it
                    "use the issuing CA made for this purpose",
                )


def any_usage(linted: Linted) -> Iterator[Finding]:
    """anyExtendedKeyUsage is not used: nginx refuses it alone, and together with others it undoes them."""
    if ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in (linted.value(x509.ExtendedKeyUsage) or ()):
        yield warning(
            "lint.any_usage", "anyExtendedKeyUsage: nginx refuses such a client, other verifiers admit it everywhere"
        )


def usage_present(linted: Linted) -> Iterator[Finding]:
    """An end-entity certificate says what it is for; without it a server certificate opens client doors."""
    if not linted.is_ca and linted.extensions is not None and linted.value(x509.ExtendedKeyUsage) is None:
        yield warning("lint.usage_missing", "no extended key usage: accepted as server and as client alike")


def key_usage(linted: Linted) -> Iterator[Finding]:
    """An end entity signs, a CA signs certificates, and only RSA enciphers keys (RFC 5280 4.2.1.3)."""
    usage = linted.value(x509.KeyUsage)
    if usage is None:
        if linted.is_ca:
            yield error("lint.key_usage", "a CA needs keyUsage with keyCertSign")
        return
    if linted.is_ca and not usage.key_cert_sign:
        yield error("lint.key_usage", "a CA needs keyCertSign")
    if not linted.is_ca and usage.key_cert_sign:
        yield error("lint.key_usage", "keyCertSign belongs to CAs only")
    if not linted.is_ca and not usage.digital_signature:
        yield error("lint.key_usage", "digitalSignature is missing: TLS 1.3 and nginx ask for it")
    if usage.key_encipherment and not isinstance(public_key_of(linted.certificate), rsa.RSAPublicKey):
        yield warning("lint.key_usage", "keyEncipherment is for RSA keys only")


def stapling(linted: Linted) -> Iterator[Finding]:
    """A server that must staple (RFC 7633) can get an OCSP response: its certificate says where."""
    access = linted.value(x509.AuthorityInformationAccess) or ()
    has_responder = any(one.access_method == AuthorityInformationAccessOID.OCSP for one in access)
    if x509.TLSFeatureType.status_request in (linted.value(x509.TLSFeature) or ()) and not has_responder:
        yield warning(
            "lint.must_staple",
            "demands a stapled OCSP response, and names no responder: Firefox refuses a server without one",
        )


USAGE_RULES: tuple[Rule, ...] = (
    basic_constraints,
    issuer_may_sign,
    path_length,
    usage_along_path,
    any_usage,
    usage_present,
    key_usage,
    stapling,
)
