"""The envelope of every ACME request: a JWS in flattened JSON, all of its header protected (RFC 8555 6.2, RFC 7515).

Refused here, before any key is looked at: other serializations, an unprotected header, ``none`` and MACs, critical
extensions, padded base64, data after the document, both or neither of ``jwk`` and ``kid``.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET

from counterseal.protocols.acme.encoding import decode, read_json
from counterseal.protocols.acme.jwk import ALGORITHMS
from counterseal.protocols.acme.problems import Problem, malformed

MEDIA_TYPE = "application/jose+json"
MAX_URL = 1_024


class Flattened(msgspec.Struct):
    """RFC 7515 7.2.2; the last two members exist to be refused."""

    protected: str
    payload: str
    signature: str
    header: Any = UNSET
    signatures: Any = UNSET


class _Header(msgspec.Struct):
    """The protected header (RFC 8555 6.2); the last two members exist to be refused."""

    alg: str
    url: str
    nonce: str | None = None
    jwk: dict[str, Any] | None = None
    kid: str | None = None
    crit: Any = UNSET
    b64: Any = UNSET


class Envelope(NamedTuple):
    """A request whose form is right and whose signature is not yet verified; ``jwk`` or ``kid`` is None."""

    algorithm: str
    url: str
    nonce: str | None
    jwk: dict[str, Any] | None
    kid: str | None
    payload: bytes
    signed: bytes
    signature: bytes


def read_envelope(body: bytes) -> Envelope:
    """Return the envelope in a request's body; raises Problem ``malformed``, ``badSignatureAlgorithm``."""
    return open_envelope(read_json(body, Flattened, "the request"))


def open_envelope(flattened: Flattened) -> Envelope:
    """Return the envelope of a flattened JWS, such as the inner one of a key change."""
    if flattened.header is not UNSET or flattened.signatures is not UNSET:
        raise malformed("a JWS here has no unprotected header and one signature (RFC 8555 6.2)")
    header = read_json(decode(flattened.protected, "protected"), _Header, "the protected header")
    if header.crit is not UNSET or header.b64 is not UNSET:
        raise malformed("extensions of JWS are not understood: crit, b64")
    _check_algorithm(header.alg)
    if (header.jwk is None) == (header.kid is None):
        raise malformed("the protected header has exactly one of jwk and kid (RFC 8555 6.2)")
    if len(header.url) > MAX_URL:
        raise malformed(f"url is longer than {MAX_URL} characters")
    return Envelope(
        algorithm=header.alg,
        url=header.url,
        nonce=header.nonce,
        jwk=header.jwk,
        kid=header.kid,
        payload=decode(flattened.payload, "payload"),
        signed=f"{flattened.protected}.{flattened.payload}".encode(),
        signature=decode(flattened.signature, "signature"),
    )


def require(envelope: Envelope, key: Literal["jwk", "kid"]) -> None:
    """Raise Problem ``malformed`` when the request names its key in the other way."""
    if (envelope.kid if key == "kid" else envelope.jwk) is None:
        other = "jwk" if key == "kid" else "kid"
        raise malformed(f"this resource takes {key} in the protected header, not {other} (RFC 8555 6.2)")


def _check_algorithm(algorithm: str) -> None:
    if algorithm not in ALGORITHMS:
        raise Problem(
            "badSignatureAlgorithm", f"not a signature algorithm for ACME: {algorithm!r:.40}", algorithms=[*ALGORITHMS]
        )
