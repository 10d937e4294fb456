"""Account keys: a JWK read strictly, its thumbprint, and what it verifies (RFC 7517, 7518, 7638, 8037).

The arithmetic is joserfc's; which keys and algorithms are taken is decided here. Only signatures: neither ``none`` nor
a MAC is in the table, and an algorithm belongs to one kind of key, so none can be confused with another.
"""

from __future__ import annotations

import json
import warnings
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from joserfc.errors import JoseError
from joserfc.jwk import import_key
from joserfc.jws import JWSRegistry

from counterseal.pki.keys import MAX_RSA_BITS, MIN_RSA_BITS, show_key, weaknesses
from counterseal.protocols.acme.encoding import decode, encode
from counterseal.protocols.acme.problems import Problem

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
    from joserfc.jwk import Key

ALGORITHMS = {
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "RS256": ("RSA", None),
    "EdDSA": ("OKP", "Ed25519"),
}
"""What is accepted, with the kind of key that it takes."""

_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}
_OCTETS = {"P-256": 32, "P-384": 48, "P-521": 66, "Ed25519": 32}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that EdDSA has a second name since RFC 9864; RFC 8555 6.2 has this one
    _VERIFIERS = {name: JWSRegistry(algorithms=[name]).get_alg(name) for name in ALGORITHMS}


class AccountKey(NamedTuple):
    """A public key as canonical JSON (RFC 7638 3), with its thumbprint."""

    jwk: str
    thumbprint: str

    @classmethod
    def of(cls, jwk: dict[str, Any]) -> AccountKey:
        """Return the key of a JWK; raises Problem ``badPublicKey``, ``malformed``."""
        canonical = _canonical(jwk)
        key = cls(canonical, encode(sha256(canonical.encode()).digest()))
        for weakness in weaknesses(key.public_key):
            raise _bad(weakness.message)
        return key

    @property
    def public_key(self) -> CertificatePublicKeyTypes:
        """The key as the cryptography library has it."""
        return cast("CertificatePublicKeyTypes", _load(self.jwk).get_op_key("verify"))

    def verifies(self, algorithm: str, message: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's; raises Problem when the algorithm is not for this kind of key."""
        own = _kind(self.jwk)
        if own != ALGORITHMS[algorithm]:
            raise Problem(
                "badSignatureAlgorithm",
                f"{algorithm} is not for this key: {show_key(self.public_key)}",
                algorithms=[name for name, needs in ALGORITHMS.items() if needs == own],
            )
        try:
            return bool(_VERIFIERS[algorithm].verify(message, signature, _load(self.jwk)))
        except (JoseError, ValueError):
            return False


def _canonical(jwk: dict[str, Any]) -> str:
    kind = jwk.get("kty")
    if not isinstance(kind, str) or kind not in _MEMBERS:
        raise _bad(f"not a kind of key for an account: {kind!r:.40}")
    if not _PRIVATE.isdisjoint(jwk):
        raise _bad("the key holds private parts")
    members = {name: jwk.get(name) for name in _MEMBERS[kind]}
    if not all(isinstance(value, str) for value in members.values()):
        raise _bad(f"a {kind} key has {', '.join(_MEMBERS[kind])}")
    _check_numbers(kind, members)
    return json.dumps(members, sort_keys=True, separators=(",", ":"))


def _check_numbers(kind: str, members: dict[str, Any]) -> None:
    curve = members.get("crv")
    if curve is not None and (kind, curve) not in ALGORITHMS.values():
        raise _bad(f"not a curve for an account: {curve!r:.40}")
    for name, value in members.items():
        if name in {"kty", "crv"}:
            continue
        octets = decode(value, f"jwk {name}")
        if curve is not None and len(octets) != _OCTETS[curve]:
            raise _bad(f"{name} of a {curve} key has {_OCTETS[curve]} octets, not {len(octets)}")
        if curve is None and (not octets or octets[0] == 0):
            raise _bad(f"{name} is not the shortest form of a number (RFC 7518 2)")
        if name == "n" and not MIN_RSA_BITS <= 8 * len(octets) <= MAX_RSA_BITS:
            raise _bad(f"an RSA key has {MIN_RSA_BITS} to {MAX_RSA_BITS} bits, not {8 * len(octets)}")


@lru_cache(maxsize=2048)
def _kind(canonical: str) -> tuple[str, str | None]:
    members = json.loads(canonical)
    return members["kty"], members.get("crv")


@lru_cache(maxsize=2048)
def _load(canonical: str) -> Key:
    try:
        key = import_key(json.loads(canonical))
        key.get_op_key("verify")
    except (JoseError, ValueError) as error:
        raise _bad("the key is not a point of its curve, or not a key at all") from error
    return key


def _bad(detail: str) -> Problem:
    return Problem("badPublicKey", detail)
