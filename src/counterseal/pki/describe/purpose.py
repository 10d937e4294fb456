"""What a certificate is for, in a sentence, from its constraints and usages (RFC 5280 4.2.1.3, 4.2.1.9, 4.2.1.12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.x509.oid import ExtendedKeyUsageOID as Usage

if TYPE_CHECKING:
    from collections.abc import Collection

    from cryptography.x509 import ObjectIdentifier

KEY_USAGES = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
    "encipher_only": "encipherOnly",
    "decipher_only": "decipherOnly",
}
USAGES = {
    Usage.SERVER_AUTH: "TLS server",
    Usage.CLIENT_AUTH: "TLS client",
    Usage.CODE_SIGNING: "code signing",
    Usage.EMAIL_PROTECTION: "e-mail",
    Usage.TIME_STAMPING: "time stamping",
    Usage.OCSP_SIGNING: "OCSP signing",
    Usage.SMARTCARD_LOGON: "smart card log-on",
    Usage.ANY_EXTENDED_KEY_USAGE: "any purpose",
}
_PERMISSIONS = {
    (True, True): "may serve TLS, and be a TLS client",
    (True, False): "may serve TLS; may not be a TLS client",
    (False, True): "may be a TLS client; may not serve",
    (False, False): None,
}


def title_of(*, is_ca: bool, self_issued: bool, usages: Collection[ObjectIdentifier] | None, shown: str) -> str:
    """Return what a certificate is, and for whom: ``client certificate for alice``."""
    kinds = " and ".join(_kinds(usages))
    if is_ca:
        what = "root CA" if self_issued else "issuing CA"
        return f"{what} for {kinds} certificates: {shown}" if kinds else f"{what}: {shown}"
    signed = "self-signed " if self_issued else ""
    return f"{signed}{kinds} certificate for {shown}" if kinds else f"{signed}certificate for {shown}"


def permission_of(*, is_ca: bool, usages: Collection[ObjectIdentifier] | None) -> str:
    """Return what TLS programs let a certificate do, and what not."""
    if is_ca:
        return "may certify others" if usages is None else f"may certify others, and only as {_listed(usages)}"
    if usages is None:
        return "names no extended key usage: accepted as TLS server and as TLS client alike"
    if Usage.ANY_EXTENDED_KEY_USAGE in usages:
        return "for any purpose; nginx refuses it from a client"
    permission = _PERMISSIONS[Usage.SERVER_AUTH in usages, Usage.CLIENT_AUTH in usages]
    return permission or f"may be neither TLS server nor TLS client; for {_listed(usages)}"


def _kinds(usages: Collection[ObjectIdentifier] | None) -> list[str]:
    names = {Usage.SERVER_AUTH: "server", Usage.CLIENT_AUTH: "client", Usage.OCSP_SIGNING: "OCSP signing"}
    others = {
        Usage.CODE_SIGNING: "code signing",
        Usage.EMAIL_PROTECTION: "e-mail",
        Usage.TIME_STAMPING: "time stamping",
    }
    found = [words for usage, words in (names | others).items() if usage in (usages or ())]
    return found if len(found) <= 2 else []  # noqa: PLR2004 - a title of more purposes tells nothing


def _listed(usages: Collection[ObjectIdentifier]) -> str:
    return ", ".join(USAGES.get(usage, usage.dotted_string) for usage in usages) or "nothing"
