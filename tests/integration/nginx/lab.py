"""The small world of these tests: two client CAs under one root, a foreign root, and clients of every kind."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

import pki_fixtures
from counterseal.nginx.material import Material, UpstreamMaterial
from counterseal.pki.shown import show_serial
from counterseal.pki.subject import nginx_name, parse_subject
from pki_fixtures import CERTIFICATE_CREATED, CERTIFICATE_EXPIRES, Issued, make_ca, make_server

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

LONG_AGO, YESTERDAY = datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC)
FAR, FARTHER = datetime(2039, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
PEM = serialization.Encoding.PEM


@cache
def authority(name: str) -> Issued:
    """Return a CA by name: ``root``, ``foreign`` (another root), ``server``, or a client CA below the root."""
    if name in {"root", "foreign"}:
        return make_ca(f"{name.title()} CA")
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if name == "server" else ExtendedKeyUsageOID.CLIENT_AUTH
    return make_ca(f"{name.title()} CA", authority("root"), purpose=purpose)


@cache
def client(
    subject: str,
    *,
    ca: str = "staff",
    created: datetime = CERTIFICATE_CREATED,
    expires: datetime = CERTIFICATE_EXPIRES,
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
    serial: int | None = None,
) -> Issued:
    """Return an end entity with that subject, always the same one for the same arguments."""
    return issue(parse_subject(subject), ca=ca, created=created, expires=expires, purpose=purpose, serial=serial)


def issue(
    subject: x509.Name,
    *,
    ca: str = "staff",
    created: datetime = CERTIFICATE_CREATED,
    expires: datetime = CERTIFICATE_EXPIRES,
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
    serial: int | None = None,
    responder: str | None = None,
) -> Issued:
    """Return an end entity of ``ca``; ``responder`` is the URL of OCSP that it names."""
    key = pki_fixtures.key_of("p-256")
    issuer = authority(ca)
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    builder = x509.CertificateBuilder()
    if responder is not None:
        address = x509.UniformResourceIdentifier(responder)
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, address)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    certificate = (
        builder.subject_name(subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(created)
        .not_valid_after(expires)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .sign(issuer.private_key, hashes.SHA256())
    )
    return Issued(certificate, key)


def crl(ca: str, revoked: Iterable[Issued] = (), *, created: datetime = LONG_AGO, expires: datetime = FAR) -> bytes:
    """Return the CRL of one CA as PEM."""
    issuer = authority(ca)
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(created).next_update(expires)
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number).revocation_date(created)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.private_key, hashes.SHA256()).public_bytes(PEM)


@cache
def server(name: str) -> Issued:
    """Return a server certificate for a name and its wildcard."""
    return make_server(authority("server"), name)


def pem(*issued: Issued) -> bytes:
    """Return certificates one after the other as PEM."""
    return b"".join(one.certificate.public_bytes(PEM) for one in issued)


def key_pem(issued: Issued) -> bytes:
    """Return the private key as PKCS#8 PEM."""
    return issued.private_key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def issuer_dn(ca: str) -> str:
    """Return the name of a CA as nginx prints it."""
    return nginx_name(authority(ca).certificate.subject)


def material(
    name: str = "panel.test",
    *,
    cas: Sequence[str] = ("staff",),
    revoked: Sequence[Issued] = (),
    known: Sequence[Issued] = (),
    **changes: Any,  # noqa: ANN401 - any field of the material
) -> Material:
    """Return what a site of that name needs to admit these CAs: every CRL of the chain, and the lists."""
    fields: dict[str, Any] = {
        "certificate_chain": pem(server(name), authority("server")),
        "private_key": key_pem(server(name)),
        "client_cas_pem": pem(authority("root"), *map(authority, cas)),
        "crl_pem": crl("root") + b"".join(crl(ca, [x for x in revoked if is_from(x, ca)]) for ca in cas),
        "issuer_dns": tuple(map(issuer_dn, cas)),
        "issuer_cas": tuple(cas),
        "revoked": serials(revoked),
        "known": serials(known),
    }
    return Material(**{**fields, **changes})


def upstream_material(**changes: Any) -> Material:  # noqa: ANN401 - any field of the material of an upstream
    """Return what a site needs that trusts the server CA of its backends and shows them ``NGINX``."""
    fields: dict[str, Any] = {
        "cas_pem": pem(authority("root"), authority("server")),
        "verify_depth": 1,
        "crl_pem": crl("root") + crl("server"),
        "certificate_chain": pem(NGINX, authority("partners")),
        "private_key": key_pem(NGINX),
    }
    return material(upstream=UpstreamMaterial(**{**fields, **changes}))


def is_from(issued: Issued, ca: str) -> bool:
    """Whether ``ca`` issued it."""
    return issued.certificate.issuer == authority(ca).certificate.subject


def serials(issued: Sequence[Issued]) -> dict[str, list[str]]:
    """Return the serial numbers by issuer name."""
    found: dict[str, list[str]] = {}
    for one in issued:
        found.setdefault(nginx_name(one.certificate.issuer), []).append(show_serial(one.certificate.serial_number))
    return found


def with_many(listed: Mapping[str, Collection[str]], count: int) -> dict[str, Collection[str]]:
    """Return the serial numbers and so many more of the staff's CA."""
    many = [show_serial((1 << 158) + number * 0x9E3779B97F4A7C15) for number in range(count)]
    return {**listed, issuer_dn("staff"): [*listed.get(issuer_dn("staff"), ()), *many]}


NGINX = client("CN=panel.test,OU=nginx", ca="partners")
