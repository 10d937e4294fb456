"""API tokens: made for a person or a program without a client certificate, and known again as bearers (RFC 6750).

A token reads ``csa_ID_SECRET``. The id finds its row and is no secret: a token that leaked names what is to be revoked.
The secret is kept as a hash only, and compared in constant time.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hmac import compare_digest
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from counterseal.authority.token import hash_secret
from counterseal.errors import InputError, RefusedError
from counterseal.moments import epoch, moment, show_moment
from counterseal.protocols.api.rules import Grant, Role
from counterseal.store.api_tokens import ApiToken, find_api_token

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from counterseal.authority.parts import Authority
    from counterseal.errors import CountersealError

PREFIX = "csa"
"""With it, programs that look for leaked secrets can know one of ours; a one-time token begins with ``cst``."""

ID_BYTES, SECRET_BYTES = 6, 32
NAME_LIMIT = 200
BEARER, CERTIFICATE = 'Bearer realm="counterseal api"', "ClientCertificate"
"""The ways to authenticate (RFC 9110 11.6.1); no registered word says that the second is TLS's."""

_FAULTS = {
    "api.token_malformed": "invalid_request",
    "api.token_unknown": "invalid_token",
    "api.token_revoked": "invalid_token",
    "api.token_expired": "invalid_token",
    "api.token_network": "invalid_token",
    "api.forbidden": "insufficient_scope",
    "api.escalation": "insufficient_scope",
    "api.token_beyond": "insufficient_scope",
}
"""RFC 6750 3.1."""

_UNAUTHENTICATED = 401


@dataclass(frozen=True, slots=True)
class TokenTerms:
    """What a token permits, to whom, from which networks (none: from anywhere) and for how long."""

    name: str
    grant: Grant
    expires_in: timedelta
    networks: tuple[str, ...] = ()


def new_api_token(authority: Authority, terms: TokenTerms) -> tuple[ApiToken, str]:
    """Return a token, not stored yet, and its text, to be shown this once; raises InputError, NotFoundError."""
    if not (1 <= len(terms.name) <= NAME_LIMIT and terms.name.isprintable()):
        raise InputError("api_token.name", f"not a name for a token: {terms.name!r}", hint=f"1 to {NAME_LIMIT} letters")
    if not int(terms.expires_in.total_seconds()):
        raise InputError("api_token.expires", "a token must live for some time: it would expire at once")
    for profile in terms.grant.profiles or ():
        authority.profile(profile)
    at, identifier = epoch(authority.clock()), authority.random_bytes(ID_BYTES).hex()
    secret = base64.urlsafe_b64encode(authority.random_bytes(SECRET_BYTES)).decode().rstrip("=")
    token = ApiToken(
        id=identifier,
        secret_hash=hash_secret(secret),
        name=terms.name,
        role=str(terms.grant.role),
        profiles=terms.grant.profiles,
        networks=tuple(str(_network(text)) for text in terms.networks),
        created_at=at,
        created_by=authority.actor,
        expires_at=at + int(terms.expires_in.total_seconds()),
    )
    return token, f"{PREFIX}_{identifier}_{secret}"


def shown_token(authorization: Iterable[str]) -> str | None:
    """Return the bearer token in the values of ``Authorization`` (RFC 6750 2.1); None without one.

    Another scheme is not for us: a proxy may have asked for it. Raises InputError ``api.token_malformed``.
    """
    tokens = [value.partition(" ")[2].strip() for value in authorization if is_bearer(value)]
    if len(tokens) > 1 or (tokens and not tokens[0]):
        raise InputError("api.token_malformed", "Authorization must have one bearer token")
    return tokens[0] if tokens else None


def is_bearer(value: str) -> bool:
    """Whether a value of ``Authorization`` is of the scheme for tokens (RFC 6750 2.1)."""
    return value.partition(" ")[0].lower() == "bearer"


def bearer(authority: Authority, text: str, client: str | None) -> ApiToken:
    """Return the token that ``text`` is, shown by the address ``client`` (None: not known, as behind a proxy).

    Raises RefusedError ``api.token_unknown``, ``api.token_revoked``, ``api.token_expired``, ``api.token_network``.
    """
    prefix, _, rest = text.partition("_")
    identifier, _, secret = rest.partition("_")
    found = find_api_token(authority.store, identifier) if prefix == PREFIX and identifier.isalnum() else None
    if found is None or not compare_digest(found.secret_hash, hash_secret(secret)):
        hint = "a one-time token gets a certificate by EST; the API takes one of counterseal api token"
        raise RefusedError("api.token_unknown", "no such API token", hint=hint if prefix == "cst" else None)
    if found.revoked_at is not None:
        raise RefusedError("api.token_revoked", f"the API token is revoked: {found.id}")
    if found.expires_at <= epoch(authority.clock()):
        raise RefusedError(
            "api.token_expired", f"the API token expired {show_moment(moment(found.expires_at))}: {found.id}"
        )
    if found.networks and not _is_inside(client, found.networks):
        address = client or "unknown, as behind a proxy"
        raise RefusedError("api.token_network", f"the API token {found.id} is not for this address: {address}")
    return found


def grant_of(token: ApiToken) -> Grant:
    """Return what the token permits."""
    return Grant(Role(token.role), token.profiles)


def challenges_of(error: CountersealError, status: int, *, token_shown: bool) -> list[str]:
    """Return each ``WWW-Authenticate`` of a failure; a token's fault is named where one was shown (RFC 6750 3.1)."""
    fault = _FAULTS.get(error.code) if token_shown else None
    if fault is not None:
        described = "".join(one for one in error.message if one.isascii() and one.isprintable() and one not in '"\\')
        return [f'{BEARER}, error="{fault}", error_description="{described}"']
    return [BEARER, CERTIFICATE] if status == _UNAUTHENTICATED else []


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text.strip())
    except ValueError as error:
        raise InputError(
            "api_token.network",
            f"not an address or a network: {text!r}",
            hint="write 10.0.0.7, 10.1.0.0/16 or fd00::/8",
        ) from error


def _is_inside(client: str | None, networks: Iterable[str]) -> bool:
    if client is None:
        return False
    address: IPv4Address | IPv6Address = ip_address(client.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:  # as a socket for both families has it
        address = address.ipv4_mapped
    return any(address in ip_network(one) for one in networks)
