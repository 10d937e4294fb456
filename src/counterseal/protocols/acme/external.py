"""External account binding (RFC 8555 7.3.4): a JWS within the request, with a MAC key that was handed out before.

The MAC key of an id follows from the service's secret, so it is nowhere stored and can never be shown again.
"""

from __future__ import annotations

import json
from hashlib import sha256, sha384, sha512
from hmac import compare_digest, digest
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from counterseal.protocols.acme.encoding import decode, encode, read_json
from counterseal.protocols.acme.problems import Problem, malformed, unauthorized
from counterseal.store.acme.records import ExternalKeyRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.protocols.acme.jws import Flattened

_HASHES = {"HS256": sha256, "HS384": sha384, "HS512": sha512}
ID_BYTES = 8
USE = "acme external accounts"
"""What the service's secret is asked for."""


class _Header(msgspec.Struct):
    alg: str
    kid: str
    url: str
    nonce: Any = UNSET


def mac_key(secret: bytes, identifier: str) -> bytes:
    """Return the MAC key of the external key with this id; ``secret`` is the one for this use."""
    return digest(secret, identifier.encode(), sha256)


def new_external_key(
    *,
    secret: bytes,
    random_bytes: Callable[[int], bytes],
    name: str,
    at: int,
    by: str,
    expires_at: int | None,
    reusable: bool,
) -> tuple[ExternalKeyRecord, str]:
    """Return a new external key as it is stored, and its MAC key in base64url, to be shown once."""
    while True:
        identifier = random_bytes(ID_BYTES).hex()
        shown = encode(mac_key(secret, identifier))
        if not shown.startswith("-"):  # both are typed on command lines, where that begins an option
            return ExternalKeyRecord(identifier, name, at, by, expires_at, reusable), shown


def read_binding(binding: Flattened, *, jwk: str, url: str, secret: bytes) -> str:
    """Return the id of the key that signed ``binding`` for this account key; raises Problem."""
    if binding.header is not UNSET or binding.signatures is not UNSET:
        raise malformed("externalAccountBinding has an unprotected header or several signatures")
    header = read_json(decode(binding.protected, "protected"), _Header, "externalAccountBinding")
    if header.alg not in _HASHES:
        raise Problem(
            "badSignatureAlgorithm",
            f"externalAccountBinding is signed with a MAC, not with {header.alg!r:.40}",
            algorithms=[*_HASHES],
        )
    if header.nonce is not UNSET or header.url != url:
        raise malformed("externalAccountBinding has no nonce, and the url of the request around it")
    signed = f"{binding.protected}.{binding.payload}".encode()
    expected = digest(mac_key(secret, header.kid), signed, _HASHES[header.alg])
    if not compare_digest(expected, decode(binding.signature, "signature")):
        raise unauthorized("externalAccountBinding is not signed with the key of that id")
    if _members(decode(binding.payload, "payload")) != json.loads(jwk):
        raise malformed("externalAccountBinding binds another key than that of the request")
    return header.kid


def _members(payload: bytes) -> dict[str, Any]:
    """Return the members of a JWK that make the key (RFC 7638 3.2)."""
    jwk = read_json(payload, dict[str, Any], "the payload of externalAccountBinding")
    return {name: value for name, value in jwk.items() if name in {"crv", "e", "kty", "n", "x", "y"}}
