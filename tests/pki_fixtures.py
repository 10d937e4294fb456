r"""One small PKI for tests, made by the cryptography library's own builders and made once in a run.

The dates are fixed calendar days wide enough for real programs at any time before 2040; a test that needs another
moment passes ``created`` and ``expires``. Nothing of Counterseal is used, so that it can be compared with.

::

    root -- server_ca -- server   (server.example.com, 127.0.0.1)
         \- client_ca -- client   (client.device)
    lone_root -- lone_client      (a single tier: the root issues; also what a foreign CA looks like)
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey

ROOT_CREATED = datetime(2025, 1, 1, tzinfo=UTC)
ROOT_EXPIRES = datetime(2055, 1, 1, tzinfo=UTC)
ISSUER_CREATED = datetime(2025, 2, 1, tzinfo=UTC)
ISSUER_EXPIRES = datetime(2050, 2, 1, tzinfo=UTC)
CERTIFICATE_CREATED = datetime(2025, 3, 1, tzinfo=UTC)
CERTIFICATE_EXPIRES = datetime(2040, 3, 1, tzinfo=UTC)
WHILE_VALID = datetime(2026, 6, 1, 12, tzinfo=UTC)
"""A moment at which everything above is valid; for checks that take a time."""

SERVER_NAME = "server.example.com"
CLIENT_NAME = "client.device"
_CURVES: dict[str, ec.EllipticCurve] = {
    "p-256": ec.SECP256R1(),
    "p-384": ec.SECP384R1(),
    "p-521": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
}
_CA_USAGE = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
_SIGNING_USAGE = x509.KeyUsage(True, False, False, False, False, False, False, False, False)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key."""

    certificate: x509.Certificate
    private_key: PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class PKI:
    """Everything of the picture above."""

    root: Issued
    server_ca: Issued
    client_ca: Issued
    server: Issued
    client: Issued
    lone_root: Issued
    lone_client: Issued


@cache
def pki() -> PKI:
    """Return the PKI with P-256 keys; always the same one within a run."""
    root, lone_root = make_ca("Test Root"), make_ca("Lone Root")
    server_ca = make_ca("Test Server CA", root, purpose=ExtendedKeyUsageOID.SERVER_AUTH)
    client_ca = make_ca("Test Client CA", root, purpose=ExtendedKeyUsageOID.CLIENT_AUTH)
    return PKI(
        root=root,
        server_ca=server_ca,
        client_ca=client_ca,
        server=make_server(server_ca, SERVER_NAME, addresses=("127.0.0.1",)),
        client=make_client(client_ca, CLIENT_NAME),
        lone_root=lone_root,
        lone_client=make_client(lone_root, CLIENT_NAME),
    )


@cache
def key_of(kind: str, number: int = 0) -> PrivateKey:
    """Return a key of one ``kind`` (p-256, p-384, p-521, rsa-2048, ed25519 ...); per ``number`` always the same one."""
    del number  # only tells the cache that another key is wanted
    return new_key(kind)


def new_key(kind: str = "p-256") -> PrivateKey:
    """Return a key that no other test has; RSA takes a good part of a second."""
    if kind in _CURVES:
        return ec.generate_private_key(_CURVES[kind])
    if kind.startswith("rsa-"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("rsa-")))
    return ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ed448.Ed448PrivateKey.generate()


def make_ca(
    common_name: str,
    issuer: Issued | None = None,
    *,
    key: PrivateKey | None = None,
    purpose: x509.ObjectIdentifier | None = None,
    created: datetime | None = None,
    expires: datetime | None = None,
    path_length: int | None = None,
    organization: str | None = None,
) -> Issued:
    """Return a CA: self-signed without ``issuer``, else below it; ``purpose`` constrains it by extended key usage.

    A root admits one CA below it, another one none, unless ``path_length`` says how many.
    """
    own = key or new_key()
    begin, end = (ISSUER_CREATED, ISSUER_EXPIRES) if issuer else (ROOT_CREATED, ROOT_EXPIRES)
    outer = {NameOID.ORGANIZATION_NAME: organization}
    builder = _builder(common_name, own, issuer, created or begin, expires or end, outer=outer)
    admitted = (0 if issuer else 1) if path_length is None else path_length
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=admitted), critical=True)
    builder = builder.add_extension(_CA_USAGE, critical=True)
    if purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    return _sign(builder, own, issuer)


def make_server(
    issuer: Issued,
    name: str,
    *more: str,
    addresses: Sequence[str] = (),
    key: PrivateKey | None = None,
    created: datetime = CERTIFICATE_CREATED,
    expires: datetime = CERTIFICATE_EXPIRES,
    purposes: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.SERVER_AUTH,),
) -> Issued:
    """Return a server certificate for DNS names and IP ``addresses``; ``purposes`` are its usages."""
    own = key or new_key()
    names = [*map(x509.DNSName, (name, *more)), *(x509.IPAddress(ip_address(address)) for address in addresses)]
    builder = _builder(name, own, issuer, created, expires)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return _sign(_end_entity(builder, *purposes), own, issuer)


def make_client(
    issuer: Issued,
    common_name: str,
    *,
    key: PrivateKey | None = None,
    created: datetime = CERTIFICATE_CREATED,
    expires: datetime = CERTIFICATE_EXPIRES,
    group: str | None = None,
    organization: str | None = None,
    serial_number: int | None = None,
) -> Issued:
    """Return a client certificate with nothing but a common name, an OU where a ``group`` is given, and an O."""
    own = key or new_key()
    outer = {NameOID.ORGANIZATION_NAME: organization, NameOID.ORGANIZATIONAL_UNIT_NAME: group}
    builder = _builder(common_name, own, issuer, created, expires, outer=outer, serial_number=serial_number)
    return _sign(_end_entity(builder, ExtendedKeyUsageOID.CLIENT_AUTH), own, issuer)


def _builder(
    common_name: str,
    key: PrivateKey,
    issuer: Issued | None,
    created: datetime,
    expires: datetime,
    *,
    outer: Mapping[x509.ObjectIdentifier, str | None] = MappingProxyType({}),
    serial_number: int | None = None,
) -> x509.CertificateBuilder:
    above = [x509.NameAttribute(kind, value) for kind, value in outer.items() if value]
    subject = x509.Name([*above, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    issuer_key = issuer.private_key if issuer else key
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(serial_number or x509.random_serial_number())
        .not_valid_before(created)
        .not_valid_after(expires)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )


def _end_entity(builder: x509.CertificateBuilder, *purposes: x509.ObjectIdentifier) -> x509.CertificateBuilder:
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_SIGNING_USAGE, critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    )


def _sign(builder: x509.CertificateBuilder, key: PrivateKey, issuer: Issued | None) -> Issued:
    signer = issuer.private_key if issuer else key
    without_hash = isinstance(signer, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return Issued(builder.sign(signer, None if without_hash else hashes.SHA256()), key)


def remade(
    source: Issued, issuer: Issued, *, signer: Issued | None = None, without: type[x509.ExtensionType] | None = None,
    add: tuple[x509.ExtensionType, ...] = (), critical: bool = False,
) -> Issued:  # fmt: skip
    """Return a certificate like ``source`` with extensions left out or added in their place, or another signature."""
    old = source.certificate
    builder = x509.CertificateBuilder(
        old.issuer, old.subject, old.public_key(), x509.random_serial_number(), old.not_valid_before_utc,
        old.not_valid_after_utc,
    )  # fmt: skip
    dropped = {type(value) for value in add} | ({without} if without else set())
    for extension in old.extensions:
        if type(extension.value) not in dropped:
            builder = builder.add_extension(extension.value, critical=extension.critical)
    for value in add:
        builder = builder.add_extension(value, critical=critical)
    key = (signer or issuer).private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return replace(source, certificate=builder.sign(key, hashes.SHA256()))
