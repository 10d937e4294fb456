"""Putting a certificate together: the bytes to be signed exist, and can be judged, before any key signs them.

``assemble_end_entity`` and ``assemble_ca`` give a Draft; ``preview`` wraps it with an empty signature so that it can be
read and linted; ``sign`` asks the signer. RFC 5280 4.1 and 4.2.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from counterseal.pki import der
from counterseal.pki.extensions import extension_in
from counterseal.pki.pointers import RESPONDER_IN_DER
from counterseal.pki.profile import Purpose
from counterseal.pki.template import Template

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
    from cryptography.x509.oid import ObjectIdentifier

    from counterseal.pki.profile import Profile
    from counterseal.pki.signer import Signer

KEY_USAGE, BASIC_CONSTRAINTS, NAME_CONSTRAINTS = "2.5.29.15", "2.5.29.19", "2.5.29.30"
AUTHORITY_KEY_IDENTIFIER, EXTENDED_KEY_USAGE = "2.5.29.35", "2.5.29.37"


class Issuer(NamedTuple):
    """The CA that will sign, as its certificates will name it: its path up to the trust anchor, itself first."""

    name: str
    path: tuple[x509.Certificate, ...]
    purpose: Purpose
    name_der: bytes
    authority_key_identifier: bytes
    pointers: tuple[bytes, ...] = ()

    @classmethod
    def of(
        cls, name: str, path: Sequence[x509.Certificate], purpose: Purpose, pointers: tuple[bytes, ...] = ()
    ) -> Issuer:
        """Return the issuer whose own certificate is the first of ``path``; for ``pointers`` see their module."""
        certificate = path[0]
        aki = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject_key_identifier(certificate))
        return cls(name, tuple(path), purpose, certificate.subject.public_bytes(), aki.public_bytes(), pointers)

    @property
    def certificate(self) -> x509.Certificate:
        """The issuer's own certificate."""
        return self.path[0]

    @property
    def trust_anchor(self) -> x509.Certificate:
        """The self-signed end of the path."""
        return self.path[-1]

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """What is sent after an end-entity certificate: the path without the trust anchor."""
        return self.path[:-1]

    @property
    def names_responder(self) -> bool:
        """Whether its certificates say where an OCSP response about them is to be had."""
        return any(RESPONDER_IN_DER in one for one in self.pointers)


class IssuanceRequest(NamedTuple):
    """What was decided: nothing downstream of policy asks again what this certificate may say."""

    profile: Profile
    subject: x509.Name
    names: tuple[x509.GeneralName, ...]
    public_key: CertificatePublicKeyTypes
    not_before: datetime
    not_after: datetime
    serial_number: int
    must_staple: bool = False


class CARequest(NamedTuple):
    """A CA certificate to be made; a None purpose leaves extended key usage out, as in a root."""

    subject: x509.Name
    public_key: CertificatePublicKeyTypes
    not_before: datetime
    not_after: datetime
    serial_number: int
    path_length: int | None
    purpose: Purpose | None
    name_constraints: x509.NameConstraints | None = None


class Draft(NamedTuple):
    """A certificate without its signature: the TBSCertificate and the algorithm that will sign it."""

    tbs: bytes
    signature_algorithm: bytes

    def certificate(self, signature: bytes) -> bytes:
        """Return the DER certificate that carries ``signature``."""
        return der.sequence(self.tbs, self.signature_algorithm, der.bit_string(signature))

    def preview(self) -> x509.Certificate:
        """Return the certificate with an empty signature, to be read and linted and never handed out."""
        return x509.load_der_x509_certificate(self.certificate(b""))

    def sign(self, signer: Signer) -> bytes:
        """Return the DER certificate, signed."""
        return self.certificate(signer.sign(self.tbs))


def assemble_end_entity(request: IssuanceRequest, issuer: Issuer, signature_algorithm: bytes) -> Draft:
    """Return the draft of an end-entity certificate under ``issuer`` (RFC 5280 4.2.1)."""
    tbs = end_entity_template(request, issuer, signature_algorithm).fill(
        request.serial_number,
        subject=request.subject.public_bytes(),
        public_key=request.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        key_identifier=x509.SubjectKeyIdentifier.from_public_key(request.public_key).digest,
        names=x509.SubjectAlternativeName(request.names).public_bytes() if request.names else b"",
    )
    return Draft(tbs, signature_algorithm)


def end_entity_template(request: IssuanceRequest, issuer: Issuer, signature_algorithm: bytes) -> Template:
    """Return what this certificate shares with others of its profile, issuer, validity and kind of key."""
    purpose = request.profile.purpose
    return Template(
        signature_algorithm,
        issuer.name_der,
        der.sequence(der.time(request.not_before), der.time(request.not_after)),
        _END_ENTITY
        + _key_usage(is_rsa=isinstance(request.public_key, rsa.RSAPublicKey))
        + _usages(purpose.extended_key_usages),
        _authority_key_identifier(issuer.authority_key_identifier)
        + b"".join((_NO_CHECK,) if purpose is Purpose.OCSP else issuer.pointers)
        + (_MUST_STAPLE if request.must_staple else b""),
    )


def assemble_ca(request: CARequest, issuer: Issuer | None, signature_algorithm: bytes) -> Draft:
    """Return the draft of a CA certificate; without an issuer it is self-issued, with AKI equal to SKI."""
    key_identifier = x509.SubjectKeyIdentifier.from_public_key(request.public_key)
    own = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_identifier).public_bytes()
    subject = request.subject.public_bytes()
    constraints = x509.BasicConstraints(True, request.path_length).public_bytes()
    following = [
        der.extension(AUTHORITY_KEY_IDENTIFIER, issuer.authority_key_identifier if issuer else own, critical=False),
        *(issuer.pointers if issuer else ()),
    ]
    if request.purpose:
        following.append(_usages(request.purpose.extended_key_usages))
    if request.name_constraints:
        following.append(der.extension(NAME_CONSTRAINTS, request.name_constraints.public_bytes(), critical=True))
    template = Template(
        signature_algorithm,
        issuer.name_der if issuer else subject,
        der.sequence(der.time(request.not_before), der.time(request.not_after)),
        der.extension(BASIC_CONSTRAINTS, constraints, critical=True)
        + der.extension(KEY_USAGE, _CA_KEY_USAGE, critical=True),
        b"".join(following),
    )
    tbs = template.fill(
        request.serial_number,
        subject=subject,
        public_key=request.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        key_identifier=key_identifier.digest,
    )
    return Draft(tbs, signature_algorithm)


def subject_key_identifier(certificate: x509.Certificate) -> x509.SubjectKeyIdentifier:
    """Return the SKI that a certificate carries, or the one computed from its key (RFC 5280 4.2.1.2)."""
    carried = extension_in(certificate.extensions, x509.SubjectKeyIdentifier)
    return carried or x509.SubjectKeyIdentifier.from_public_key(certificate.public_key())


def purpose_of(certificate: x509.Certificate) -> Purpose:
    """Return what a certificate, or those below a CA, may be for, by its extended key usage; without one, anything."""
    usages = set(extension_in(certificate.extensions, x509.ExtendedKeyUsage) or ())
    fitting = [p for p in (Purpose.SERVER, Purpose.CLIENT) if usages & set(p.extended_key_usages)]
    return fitting[0] if len(fitting) == 1 else Purpose.ANY


@lru_cache(maxsize=2)
def _key_usage(*, is_rsa: bool) -> bytes:
    """digitalSignature; for RSA also keyEncipherment, which TLS 1.2 key transport asks for."""
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=is_rsa,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return der.extension(KEY_USAGE, usage.public_bytes(), critical=True)


@lru_cache(maxsize=8)
def _usages(usages: tuple[ObjectIdentifier, ...]) -> bytes:
    return der.extension(EXTENDED_KEY_USAGE, x509.ExtendedKeyUsage(usages).public_bytes(), critical=False)


@lru_cache(maxsize=8)
def _authority_key_identifier(value: bytes) -> bytes:
    return der.extension(AUTHORITY_KEY_IDENTIFIER, value, critical=False)


_NO_CHECK = der.extension("1.3.6.1.5.5.7.48.1.5", der.NULL, critical=False)  # RFC 6960 4.2.2.2.1
_MUST_STAPLE = der.extension(
    "1.3.6.1.5.5.7.1.24",  # RFC 7633
    x509.TLSFeature([x509.TLSFeatureType.status_request]).public_bytes(),
    critical=False,
)
_END_ENTITY = der.extension(BASIC_CONSTRAINTS, x509.BasicConstraints(False, None).public_bytes(), critical=True)
_CA_KEY_USAGE = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
).public_bytes()
