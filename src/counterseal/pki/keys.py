"""Public keys: which kinds there are, how they are named, and which are too weak to be certified.

Keys are made and kept elsewhere. RFC 5480 (EC), RFC 8410 (Ed25519, Ed448), RFC 4055 (RSA), RFC 5758 (ECDSA with SHA-2).
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from counterseal.errors import InputError, hint_for
from counterseal.findings import Finding, Severity
from counterseal.pki import der
from counterseal.pki.rsa_numbers import exponent_faults, modulus_faults
from counterseal.pki.shown import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
_RSA_STEP = 1024

_CURVES = {"secp256r1": "p-256", "secp384r1": "p-384", "secp521r1": "p-521"}
_SIGNATURE_ALGORITHMS = {
    "p-256": ("1.2.840.10045.4.3.2", b""),
    "p-384": ("1.2.840.10045.4.3.3", b""),
    "p-521": ("1.2.840.10045.4.3.4", b""),
    "rsa": ("1.2.840.113549.1.1.11", der.NULL),
    "ed25519": ("1.3.101.112", b""),
    "ed448": ("1.3.101.113", b""),
}
_SIGNATURE_HASHES: dict[str, HashAlgorithm] = {"p-256": SHA256(), "p-384": SHA384(), "p-521": SHA512(), "rsa": SHA256()}

_LOW_ORDER = frozenset({0, 1, 0x5FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826})
"""The y of the points of Edwards curves with 1, 2, 4 and 8 multiples, but for its sign; only Ed25519 has the last."""

_PRIMES = {32: 2**255 - 19, 57: 2**448 - 2**224 - 1}


class KeySpec(NamedTuple):
    """A kind of key: ``algorithm`` is rsa, p-256, p-384, p-521, ed25519 or ed448; ``bits`` counts for RSA only."""

    algorithm: str
    bits: int | None = None

    def __str__(self) -> str:
        return f"{self.algorithm}-{self.bits}" if self.bits else self.algorithm


P256 = KeySpec("p-256")
_ALIASES = {"p256": "p-256", "p384": "p-384", "p521": "p-521", "prime256v1": "p-256"} | _CURVES
_RSA = re.compile(r"rsa[-_: ]?([1-9][0-9]{0,4})", re.ASCII)
KEY_CHOICES = ("p-256", "p-384", "p-521", "rsa-2048", "rsa-3072", "rsa-4096", "ed25519", "ed448")


def parse_key_spec(text: str) -> KeySpec:
    """Return the kind of key that ``text`` names (``rsa-4096``, ``p-256``, ``ed25519``); raises InputError."""
    name = _ALIASES.get(text.lower(), text.lower())
    if name in KEY_CHOICES and not name.startswith("rsa"):
        return KeySpec(name)
    algorithm, _, bits = name.partition("-")
    if algorithm == "rsa" and bits in {str(size) for size in range(MIN_RSA_BITS, MAX_RSA_BITS + 1, _RSA_STEP)}:
        return KeySpec("rsa", int(bits))
    if (small := _RSA.fullmatch(name)) and int(small[1]) < MIN_RSA_BITS:
        raise InputError(
            "key.weak",
            f"too weak a kind of key: {quoted(text)}, RSA needs at least {MIN_RSA_BITS} bits",
            hint=f"choose rsa-{MIN_RSA_BITS}, or p-256, which is stronger and faster",
        )
    sizes = f"there are rsa-{MIN_RSA_BITS} to rsa-{MAX_RSA_BITS}, in steps of {_RSA_STEP}"
    hint = sizes if algorithm == "rsa" and bits.isdecimal() else hint_for(text.lower(), KEY_CHOICES)
    raise InputError("key.spec", f"not a kind of key: {quoted(text)}", hint=hint)


def key_spec_of(public_key: PublicKeyTypes) -> KeySpec | None:
    """Return the kind of a key, or None for one that Counterseal does not certify (DSA, DH, other curves)."""
    if isinstance(public_key, rsa.RSAPublicKey):
        return KeySpec("rsa", public_key.key_size)
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        name = _CURVES.get(public_key.curve.name)
        return None if name is None else KeySpec(name)
    if isinstance(public_key, ed25519.Ed25519PublicKey):
        return KeySpec("ed25519")
    if isinstance(public_key, ed448.Ed448PublicKey):
        return KeySpec("ed448")
    return None


def key_hash(public_key: PublicKeyTypes) -> bytes:
    """Return the SHA-256 of a key's SubjectPublicKeyInfo, as the library writes it: one form for each key."""
    return sha256(public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def key_hash_in(certificate: bytes) -> bytes | None:
    """Return the hash of the key in a DER certificate; None where the library cannot read it."""
    try:
        return key_hash(x509.load_der_x509_certificate(certificate).public_key())
    except (ValueError, UnsupportedAlgorithm):
        return None


def next_key_spec(public_key: PublicKeyTypes) -> KeySpec:
    """Return the kind of the key that follows this one: the same, or where that is not certified, what comes nearest.

    An RSA key of an odd size is followed by the next larger one; a key of an unsuitable kind by P-256.
    """
    spec = key_spec_of(public_key) or P256
    if spec.bits is None:
        return spec
    bits = -(-spec.bits // _RSA_STEP) * _RSA_STEP
    return KeySpec(spec.algorithm, min(max(bits, MIN_RSA_BITS), MAX_RSA_BITS))


def show_key(public_key: PublicKeyTypes) -> str:
    """Return the kind of a key in words for people: ``ECDSA P-256``, ``RSA 2048``, ``Ed25519``."""
    spec = key_spec_of(public_key)
    if spec is not None:
        return show_spec(spec)
    curve = getattr(getattr(public_key, "curve", None), "name", None)
    return f"EC {curve}" if curve else type(public_key).__name__.removesuffix("PublicKey").lstrip("_")


def show_spec(spec: KeySpec) -> str:
    """Return a kind of key in words for people."""
    if spec.algorithm == "rsa":
        return f"RSA {spec.bits}"
    return f"ECDSA {spec.algorithm.upper()}" if spec.algorithm.startswith("p-") else spec.algorithm.capitalize()


def signature_algorithm(public_key: PublicKeyTypes) -> bytes:
    """Return the DER AlgorithmIdentifier with which a key of this kind signs for a CA; raises InputError."""
    spec = key_spec_of(public_key)
    if spec is None:
        raise InputError("key.unsuitable", f"a CA cannot sign with this kind of key: {show_key(public_key)}")
    oid, parameters = _SIGNATURE_ALGORITHMS[spec.algorithm]
    return der.sequence(der.object_identifier(oid), parameters)


def signature_hash(public_key: PublicKeyTypes) -> HashAlgorithm | None:
    """Return the hash of that algorithm, None where the key signs the message itself (EdDSA); raises InputError."""
    spec = key_spec_of(public_key)
    if spec is None:
        raise InputError("key.unsuitable", f"a CA cannot sign with this kind of key: {show_key(public_key)}")
    return _SIGNATURE_HASHES.get(spec.algorithm)


def longest_signature(public_key: PublicKeyTypes) -> int:
    """Return how many octets a signature of this key has: exactly, but for ECDSA, whose numbers may be shorter."""
    if isinstance(public_key, rsa.RSAPublicKey):
        return (public_key.key_size + 7) // 8
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        largest = (1 << public_key.key_size) - 1
        return len(encode_dss_signature(largest, largest))
    return 114 if isinstance(public_key, ed448.Ed448PublicKey) else 64


def weaknesses(public_key: PublicKeyTypes) -> tuple[Finding, ...]:
    """Return every reason why this key must not be certified; empty when there is none."""
    if isinstance(public_key, rsa.RSAPublicKey):
        return tuple(_rsa_weaknesses(public_key))
    if key_spec_of(public_key) is None:
        return (
            _weak(
                "key.unsuitable", f"unsuitable key: {show_key(public_key)}", "use P-256, P-384, P-521, RSA or Ed25519"
            ),
        )
    if isinstance(public_key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey) and _is_of_low_order(public_key):
        return (_weak("key.low_order", "a point of low order is no key: everybody can sign for it"),)
    return ()


def _is_of_low_order(public_key: ed25519.Ed25519PublicKey | ed448.Ed448PublicKey) -> bool:
    octets = public_key.public_bytes_raw()
    sign, prime = 1 << (8 * len(octets) - 1), _PRIMES[len(octets)]
    y = int.from_bytes(octets, "little") & ~sign
    return min(y % prime, -y % prime) in _LOW_ORDER


def _rsa_weaknesses(public_key: rsa.RSAPublicKey) -> Iterator[Finding]:
    bits, numbers = public_key.key_size, public_key.public_numbers()
    if bits < MIN_RSA_BITS:
        yield _weak("key.weak", f"RSA key has {bits} bits, at least {MIN_RSA_BITS} are needed")
    if bits > MAX_RSA_BITS:
        yield _weak("key.too_large", f"RSA key has {bits} bits, at most {MAX_RSA_BITS} are accepted")
        return  # the arithmetic below is for keys of a sane size
    for fault in exponent_faults(numbers.e):
        yield _weak("key.exponent", fault)
    for fault in modulus_faults(numbers.n):
        yield _weak("key.modulus", fault)


def _weak(code: str, message: str, hint: str = "make a new key, for instance P-256") -> Finding:
    return Finding(code, Severity.CRITICAL, message, hint=hint)
