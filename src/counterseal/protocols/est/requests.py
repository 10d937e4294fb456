"""What a request says: the secret that comes with it, the CSR in it, and whether that may have been made elsewhere."""

from __future__ import annotations

import base64
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING

from counterseal.errors import InputError, RefusedError
from counterseal.pki.csr import CSR, parse_csr
from counterseal.pki.names import names_in, show_name
from counterseal.pki.possession import Possession, read_possession
from counterseal.pki.subject import show_subject
from counterseal.protocols.est.media import REQUEST, read_base64
from counterseal.service.body import read_body

if TYPE_CHECKING:
    from cryptography import x509
    from starlette.requests import Request

BODY_LIMIT = 96 * 1024
PROOF_SECONDS = 300
"""So far may the time in a proof of possession be away."""

DECRYPT_KEY = frozenset({"1.2.840.113549.1.9.16.2.37", "1.2.840.113549.1.9.16.2.54"})
"""DecryptKeyIdentifier and its asymmetric twin (RFC 7030 4.4.1): wishes for a key encrypted once more."""


def secret_of(authorization: str | None) -> str | None:
    """Return the secret of an Authorization header: a bearer token, or the password of whatever user (RFC 7617).

    None when there is none; raises InputError ``est.authorization`` for what cannot be read.
    """
    if authorization is None:
        return None
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer" and credentials.strip():
        return credentials.strip()
    if scheme.lower() != "basic":
        raise InputError("est.authorization", "Authorization is neither Basic nor Bearer with a token")
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[2]
    except ValueError as error:  # no base64, or no UTF-8 in it
        raise InputError("est.authorization", "Basic is not base64 of user and password") from error


def possession_of(authorization: str | None, now: int) -> Possession | None:
    """Return the proof that stands in an Authorization header as bearer token, None when there is none.

    Raises InputError ``possession.*``.
    """
    scheme, _, text = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or "." not in text:  # a token's secret has none
        return None
    proof = read_possession(text.strip())
    if abs(now - proof.at) > PROOF_SECONDS:
        raise InputError(
            "possession.time",
            f"the proof was made {abs(now - proof.at)} s {'ago' if now > proof.at else 'ahead'}",
            hint=f"{PROOF_SECONDS} s are allowed: are both clocks right?",
        )
    return proof


async def read_csr(request: Request, *, signed: bool = True, proof: Possession | None = None) -> CSR:
    """Return the CSR in the body, its key proved unless ``signed`` is False; raises InputError, HTTPException.

    A ``proof`` must be for this very CSR.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await read_body(request, limit=BODY_LIMIT)
    if media_type != REQUEST:
        raise InputError("est.media_type", f"the body is to be {REQUEST}, not {media_type or 'of no type'}")
    content = read_base64(body)
    if proof is not None and not compare_digest(proof.csr_hash, sha256(content).digest()):
        raise InputError("possession.other_csr", "the proof is for another request than this")
    csr = parse_csr(content, signed=signed)
    if csr.unmet:
        raise InputError(
            "est.extensions",
            f"no certificate here gets what the CSR asks for: {', '.join(csr.unmet)}",
            hint="leave it out",
        )
    _check_channel(request, csr)
    return csr


def require_same_names(csr: CSR, certificate: x509.Certificate) -> None:
    """Raise RefusedError unless the CSR has the subject and names of the certificate (RFC 7030 4.2.2)."""
    if csr.subject != certificate.subject:
        raise RefusedError(
            "est.other_subject",
            f"the subject is not that of the certificate: {show_subject(csr.subject) or 'none'}",
            hint=f"ask for exactly {show_subject(certificate.subject) or 'no subject'}",
        )
    names = names_in(certificate.extensions)
    if frozenset(csr.names) != frozenset(names):
        raise RefusedError(
            "est.other_names",
            f"the names are not those of the certificate: {', '.join(map(show_name, csr.names)) or 'none'}",
            hint=f"ask for exactly {', '.join(map(show_name, names)) or 'no names'}",
        )


def require_plain_key(csr: CSR) -> None:
    """Raise InputError when the key is wanted in an encryption that is not offered: it must not come in less."""
    if not DECRYPT_KEY.isdisjoint(csr.attributes):
        raise InputError("est.key_encryption", "a key is protected by TLS alone: DecryptKeyIdentifier is not offered")


def _check_channel(request: Request, csr: CSR) -> None:
    """Raise InputError when the CSR is bound to another TLS connection, or to one that cannot be known (RFC 7030 3.5).

    TLS 1.3 has no tls-unique (RFC 8446 C.5), and that of a proxy's connection is not told.
    """
    if not csr.challenge_password:
        return
    tls = request.scope["state"].get("tls")
    unique = tls.get_channel_binding("tls-unique") if tls is not None and tls.version() == "TLSv1.2" else None
    if unique is None:
        raise InputError(
            "est.channel",
            "challengePassword cannot be checked: it is the tls-unique of a TLS 1.2 connection to this service",
            hint="leave it out",
        )
    if not compare_digest(base64.b64encode(unique), csr.challenge_password.strip()):
        raise InputError("est.channel", "challengePassword is not the tls-unique of this connection")
