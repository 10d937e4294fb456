"""What an ACME client signs, made by the cryptography library alone: keys, JWS, CSRs, external bindings."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence

SigningKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def b64(octets: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Return what ``b64`` encoded."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(value: int, octets: int | None = None) -> str:
    """Return a number as JWK has it."""
    return b64(value.to_bytes(octets or (value.bit_length() + 7) // 8, "big"))


@dataclass
class ClientKey:
    """A private key of a client."""

    private: SigningKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def algorithm(self) -> str:
        """The JWS algorithm that fits."""
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            return {256: "ES256", 384: "ES384", 521: "ES512"}[self.private.curve.key_size]
        return "RS256" if isinstance(self.private, rsa.RSAPrivateKey) else "EdDSA"

    @property
    def jwk(self) -> dict[str, str]:
        """The public key."""
        public = self.private.public_key()
        if isinstance(public, ec.EllipticCurvePublicKey):
            size, numbers = (public.curve.key_size + 7) // 8, public.public_numbers()
            x, y = number(numbers.x, size), number(numbers.y, size)
            return {"kty": "EC", "crv": f"P-{public.curve.key_size}", "x": x, "y": y}
        if isinstance(public, rsa.RSAPublicKey):
            return {"kty": "RSA", "n": number(public.public_numbers().n), "e": number(public.public_numbers().e)}
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes(Encoding.Raw, PublicFormat.Raw))}

    @property
    def thumbprint(self) -> str:
        """RFC 7638."""
        return b64(hashlib.sha256(json.dumps(self.jwk, sort_keys=True, separators=(",", ":")).encode()).digest())

    def sign(self, message: bytes) -> bytes:
        """Return the signature as JWS has it."""
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            size = (self.private.curve.key_size + 7) // 8
            digest = {32: hashes.SHA256(), 48: hashes.SHA384(), 66: hashes.SHA512()}[size]
            r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(digest)))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return self.private.sign(message)


def jws(key: ClientKey, payload: object, **header: Any) -> dict[str, Any]:  # noqa: ANN401 - any member of a header
    """Return a flattened JWS; a ``payload`` of None is empty (POST-as-GET), members of ``header`` are added."""
    members = {"alg": key.algorithm, **header}
    protected = b64(json.dumps(members).encode())
    body = "" if payload is None else b64(json.dumps(payload).encode())
    return {"protected": protected, "payload": body, "signature": b64(key.sign(f"{protected}.{body}".encode()))}


def external_binding(kid: str, mac_key: str, key: ClientKey, url: str) -> dict[str, str]:
    """Return an externalAccountBinding (RFC 8555 7.3.4)."""
    protected = b64(json.dumps({"alg": "HS256", "kid": kid, "url": url}).encode())
    payload = b64(json.dumps(key.jwk).encode())
    mac = hmac.digest(unb64(mac_key), f"{protected}.{payload}".encode(), "sha256")
    return {"protected": protected, "payload": payload, "signature": b64(mac)}


def csr(
    *names: x509.GeneralName | str,
    common_name: str | None = None,
    key: ec.EllipticCurvePrivateKey | None = None,
    extensions: Sequence[x509.ExtensionType] = (),
) -> bytes:
    """Return a CSR (DER) for these names; a string is a DNS name."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    general: Sequence[x509.GeneralName] = [x509.DNSName(one) if isinstance(one, str) else one for one in names]
    if general:
        builder = builder.add_extension(x509.SubjectAlternativeName(general), critical=False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    private = key or ec.generate_private_key(ec.SECP256R1())
    return builder.sign(private, hashes.SHA256()).public_bytes(Encoding.DER)
