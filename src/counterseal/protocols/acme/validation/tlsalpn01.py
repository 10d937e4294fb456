"""tls-alpn-01 (RFC 8737; for addresses RFC 8738 6): a certificate made for the purpose, at port 443."""

from __future__ import annotations

import asyncio
import ssl
from hashlib import sha256
from hmac import compare_digest
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import InputError
from counterseal.pki import der
from counterseal.pki.extensions import UNREADABLE
from counterseal.pki.reading import load_der_certificate
from counterseal.protocols.acme.problems import Failure
from counterseal.protocols.acme.validation.reach import parse_address
from counterseal.protocols.acme.validation.resolver import Lookup

if TYPE_CHECKING:
    from counterseal.protocols.acme.validation.connect import Reach

PROTOCOL = "acme-tls/1"
ACME_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
SECONDS = 10.0


async def check_tlsalpn01(reach: Reach, *, host: str, port: int, key_authorization: str) -> Failure | None:
    """Return why the challenge fails, or None."""
    try:
        async with asyncio.timeout(SECONDS):
            _, writer = await reach.open(host, port, context=_context(), server_name=server_name(host))
    except Lookup as lookup:
        return lookup.failure
    except TimeoutError:
        return Failure("connection", f"{host}:{port}: no answer within {SECONDS:g} s")
    try:
        session: ssl.SSLObject = writer.get_extra_info("ssl_object")
        protocol, certificate = session.selected_alpn_protocol(), session.getpeercert(binary_form=True)
    finally:
        writer.transport.abort()  # nothing is said over it
    if protocol != PROTOCOL:
        return Failure("tls", f"{host}:{port}: the server did not choose the protocol {PROTOCOL}")
    return judge(certificate or b"", host, key_authorization)


def judge(content: bytes, host: str, key_authorization: str) -> Failure | None:
    """Return what is wrong with the certificate, or None (RFC 8737 3)."""
    try:
        certificate = load_der_certificate(content)
        names = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        identifier = certificate.extensions.get_extension_for_oid(ACME_IDENTIFIER)
    except (InputError, x509.ExtensionNotFound, *UNREADABLE):
        return Failure("incorrectResponse", f"{host}: the certificate lacks its name or its acmeIdentifier")
    address = parse_address(host)
    expected: x509.GeneralName = x509.IPAddress(address) if address else x509.DNSName(host)
    if len(names) != 1 or _lower(names[0]) != expected:
        return Failure("incorrectResponse", f"{host}: the certificate must name exactly {host}")
    value = identifier.value.value if isinstance(identifier.value, x509.UnrecognizedExtension) else b""
    digest = der.octet_string(sha256(key_authorization.encode()).digest())
    if not identifier.critical or not compare_digest(value, digest):
        return Failure("incorrectResponse", f"{host}: the acmeIdentifier is not critical, or not of this account's key")
    return None


def server_name(host: str) -> str:
    """Return the name to ask for: of an address its name in the reverse tree (RFC 8738 6)."""
    return ip_address(host).reverse_pointer if parse_address(host) else host


def _lower(name: x509.GeneralName) -> x509.GeneralName:
    return x509.DNSName(name.value.lower()) if isinstance(name, x509.DNSName) else name


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it is self-signed by definition
    context.set_alpn_protocols([PROTOCOL])
    return context
