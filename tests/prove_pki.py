"""The clients that a proof knocks with, and the files that nginx reads, by role; made once in a run.

The certificates come from ``pki_fixtures``; added here are the revoked, the expired and the wrongly purposed ones, the
revocation lists, and the wrong versions of each file that the broken sites ask for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

import pki_fixtures
from counterseal.handshake.observation import ProbeIdentity
from counterseal.handshake.site import Identities
from counterseal.pki.profile import PROBE_GROUP
from pki_fixtures import Issued, make_ca, make_client, make_server, remade
from stapling import STAPLE_FILE, responder_at, wrong_response

if TYPE_CHECKING:
    from collections.abc import Sequence

DOMAIN = "prove.test"
CLIENT_CA_FILE, CLIENT_CRL_FILE = "client-ca.pem", "client-crl.pem"
SERVER_CHAIN_FILE, SERVER_KEY_FILE = "server.fullchain.pem", "server.key.pem"
_LONG_AGO, _NOT_SO_LONG_AGO = datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)


def certificate_pem(*issued: Issued) -> bytes:
    """Return the certificates one after the other."""
    return b"".join(one.certificate.public_bytes(Encoding.PEM) for one in issued)


def key_pem(issued: Issued) -> bytes:
    """Return the private key as unencrypted PKCS#8."""
    return issued.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def identity_of(name: str, *chain: Issued) -> ProbeIdentity:
    """Return an identity that sends the whole ``chain``, end entity first."""
    return ProbeIdentity(name, certificate_pem(*chain), key_pem(chain[0]))


def make_crl(
    issuer: Issued,
    revoked: Sequence[Issued] = (),
    *,
    begin: timedelta = timedelta(hours=-1),
    end: timedelta = timedelta(days=7),
    signer: Issued | None = None,
    partial: bool = False,
) -> bytes:
    """Return a CRL of ``issuer`` as PEM.

    ``begin`` and ``end`` count from now, ``signer`` forges the signature, ``partial`` leaves some reasons out.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now + begin)
        .next_update(now + end)
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.private_key.public_key()), critical=False
        )
    )
    if partial:
        scope = x509.IssuingDistributionPoint(
            full_name=None,
            relative_name=None,
            only_contains_user_certs=False,
            only_contains_ca_certs=False,
            only_some_reasons=frozenset({x509.ReasonFlags.key_compromise}),
            indirect_crl=False,
            only_contains_attribute_certs=False,
        )
        builder = builder.add_extension(scope, critical=True)
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number).revocation_date(now)
        builder = builder.add_revoked_certificate(entry.build())
    key = (signer or issuer).private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


@dataclass(frozen=True, slots=True)
class ProvePKI:
    """The CAs, the server, and one client of each kind; ``leaver`` is on no list yet."""

    root: Issued
    server_ca: Issued
    client_ca: Issued
    other_client_ca: Issued
    foreign_root: Issued
    server: Issued
    good: Issued
    unlisted: Issued
    expired: Issued
    foreign: Issued
    other: Issued
    revoked: Issued
    leaver: Issued
    variants: dict[str, tuple[Issued, ...]] = field(repr=False)

    @property
    def identities(self) -> Identities:
        """Everybody but the leaver, who must have been let in first."""
        return Identities(
            good=identity_of("good", self.good, self.client_ca),
            expired=identity_of("expired", self.expired, self.client_ca),
            foreign=identity_of("foreign", self.foreign),
            server_purpose=identity_of("server", self.server, self.server_ca),
            other_client_ca=identity_of("other", self.other, self.other_client_ca),
            unlisted=identity_of("unlisted", self.unlisted, self.client_ca),
            revoked=identity_of("revoked", self.revoked, self.client_ca),
        )

    @property
    def leaving(self) -> ProbeIdentity:
        """The client that is let in before it is revoked."""
        return identity_of("leaver", self.leaver, self.client_ca)

    def crls(self, *, revoked: Sequence[Issued]) -> bytes:
        """Return one CRL of each CA; the client CA's lists ``revoked``."""
        others = [make_crl(ca) for ca in (self.root, self.other_client_ca, self.server_ca)]
        return b"".join([make_crl(self.client_ca, revoked), *others])

    def files(self, *, leaver_revoked: bool) -> dict[str, bytes]:
        """Return what nginx reads when everything is right."""
        revoked = (self.revoked, self.leaver) if leaver_revoked else (self.revoked,)
        return {
            CLIENT_CA_FILE: certificate_pem(self.root, self.client_ca),
            CLIENT_CRL_FILE: self.crls(revoked=revoked),
            SERVER_CHAIN_FILE: certificate_pem(self.server, self.server_ca),
            SERVER_KEY_FILE: key_pem(self.server),
        }

    def variant(self, role: str, *, leaver_revoked: bool) -> dict[str, bytes]:
        """Return the files that a broken site puts in place of the right ones."""
        revoked = (self.revoked, self.leaver) if leaver_revoked else (self.revoked,)
        if role.startswith("server-"):
            chain = self.variants[role]
            return {SERVER_CHAIN_FILE: certificate_pem(*chain), SERVER_KEY_FILE: key_pem(chain[0])}
        if role.startswith("staple-"):
            other = self.variants["server-stale"][0]
            return {STAPLE_FILE: wrong_response(role, self.server, other, self.server_ca, self.client_ca)}
        if role.startswith("ca-"):
            return {CLIENT_CA_FILE: certificate_pem(*self.variants[role])}
        return {CLIENT_CRL_FILE: self._crl_variant(role, revoked)}

    def _crl_variant(self, role: str, revoked: Sequence[Issued]) -> bytes:
        right, own = self.crls(revoked=revoked), make_crl(self.client_ca, revoked)
        rest = right.removeprefix(right.partition(b"-----END X509 CRL-----\n")[0] + b"-----END X509 CRL-----\n")
        past, soon = timedelta(days=-1), timedelta(days=1)
        return {
            "crl-expired": lambda: make_crl(self.client_ca, revoked, begin=8 * past, end=past) + rest,
            "crl-from-the-future": lambda: make_crl(self.client_ca, revoked, begin=soon) + rest,
            "crl-without-root": lambda: own,
            "crl-forgets": lambda: make_crl(self.client_ca) + rest,
            "crl-twice": lambda: make_crl(self.client_ca) + right,
            "crl-newer-beside": lambda: right + make_crl(self.client_ca, begin=timedelta(minutes=-59)),
            "crl-with-certificate": lambda: right + make_crl(self.foreign_root) + certificate_pem(self.foreign_root),
            "crl-forged": lambda: make_crl(self.client_ca, revoked, signer=self.root) + rest,
            "crl-partial": lambda: make_crl(self.client_ca, revoked, partial=True) + rest,
        }[role]()


@cache
def prove_pki() -> ProvePKI:
    """Return the PKI; always the same one within a run."""
    base = pki_fixtures.pki()
    other_client_ca = make_ca("Test Device CA", base.root, purpose=ExtendedKeyUsageOID.CLIENT_AUTH)
    server = make_server(base.server_ca, f"*.{DOMAIN}")
    return ProvePKI(
        root=base.root,
        server_ca=base.server_ca,
        client_ca=base.client_ca,
        other_client_ca=other_client_ca,
        foreign_root=base.lone_root,
        server=server,
        good=make_client(base.client_ca, "probe good", group=PROBE_GROUP),
        unlisted=make_client(base.client_ca, "probe unlisted", group=PROBE_GROUP),
        expired=make_client(base.client_ca, "probe expired", created=_LONG_AGO, expires=_NOT_SO_LONG_AGO),
        foreign=base.lone_client,
        other=make_client(other_client_ca, "probe of another client CA"),
        revoked=make_client(base.client_ca, "probe revoked"),
        leaver=make_client(base.client_ca, "probe leaver"),
        variants=_variants(base, server),
    )


def _variants(base: pki_fixtures.PKI, server: Issued) -> dict[str, tuple[Issued, ...]]:
    old_root = make_ca("Test Root", key=base.root.private_key, expires=datetime(2026, 1, 1, tzinfo=UTC))
    old = make_server(base.server_ca, f"*.{DOMAIN}", created=_LONG_AGO, expires=_NOT_SO_LONG_AGO)
    return {
        "ca-root-only": (base.root,),
        "ca-issuing-only": (base.client_ca,),
        "ca-foreign": (base.lone_root,),
        "ca-foreign-too": (base.root, base.client_ca, base.lone_root),
        "ca-expired-root": (old_root, base.client_ca),
        "server-expired": (old, base.server_ca),
        "server-wrong-name": (make_server(base.server_ca, "elsewhere.test"), base.server_ca),
        "server-is-client": (_with_purpose_of_a_client(base, server), base.client_ca),
        "server-without-chain": (server,),
        "server-self-signed": (base.lone_root,),
        "server-stale": (make_server(base.server_ca, f"*.{DOMAIN}"), base.server_ca),
        "server-responder-gone": (remade(server, base.server_ca, add=(responder_at(1),)), base.server_ca),
    }


def _with_purpose_of_a_client(base: pki_fixtures.PKI, server: Issued) -> Issued:
    """Return a certificate with the server's names but clientAuth alone."""
    names = server.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    key = base.client_ca.private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    source = make_client(base.client_ca, f"*.{DOMAIN}")
    builder = (
        x509.CertificateBuilder()
        .subject_name(source.certificate.subject)
        .issuer_name(source.certificate.issuer)
        .public_key(source.certificate.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(source.certificate.not_valid_before_utc)
        .not_valid_after(source.certificate.not_valid_after_utc)
        .add_extension(names, critical=False)
    )
    for extension in source.certificate.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    return replace(source, certificate=builder.sign(key, hashes.SHA256()))
