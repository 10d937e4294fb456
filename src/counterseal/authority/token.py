"""One-time tokens: made for a name and all that its certificate shall say, used up by issuing that certificate.

Three steps for every face, around the signature (see ``service.issuing``): ``token_of`` says what a secret stands for,
``prepare_by_token`` what is to be issued for a key, ``use_up`` counts the use in the transaction that records the
certificate. So an issue that fails costs no use, and of two at once for the last use only one certificate leaves.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.issue import prepare, rehearse
from counterseal.authority.order import order_client, order_server
from counterseal.errors import InputError, RefusedError
from counterseal.keystore.software import generate_key
from counterseal.moments import epoch, moment, show_moment
from counterseal.pki.keys import P256
from counterseal.pki.names import parse_name, show_name
from counterseal.pki.profile import Purpose
from counterseal.pki.subject import common_name
from counterseal.store.records import Status
from counterseal.store.tokens import TokenRecord, add_token, find_token, use_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from counterseal.authority.parts import Authority
    from counterseal.authority.signing import Prepared
    from counterseal.pki.csr import CSR
    from counterseal.pki.policy import Asked

PREFIX = "cst_"
"""With it, programs that look for leaked secrets can know one of ours."""

ID_BYTES, SECRET_BYTES = 6, 32
MAX_USES = 1_000_000


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token gives: a certificate of this name and profile, so many times, for so long.

    ``issuer`` is the CA that issues it, None the active one for the profile's purpose.
    """

    name: str
    profile: str
    names: tuple[str, ...] = ()
    group: str | None = None
    lifetime: timedelta | None = None
    uses: int = 1
    expires_in: timedelta = timedelta(hours=1)
    issuer: str | None = None


def make_token(authority: Authority, grant: Grant) -> tuple[TokenRecord, str]:
    """Store a token and return it with its secret, which is known to nobody else and shown this once.

    Raises what ``plan_token`` does.
    """
    record, secret = plan_token(authority, grant)
    add_token(authority.store, record)
    return record, secret


def plan_token(authority: Authority, grant: Grant) -> tuple[TokenRecord, str]:
    """Return the token as it would be stored, and its secret; nothing is written.

    What policy would refuse to issue is refused now: raises RefusedError, InputError, NotFoundError.
    """
    if not 1 <= grant.uses <= MAX_USES:
        raise InputError("token.uses", f"not a number of uses: {grant.uses}", hint=f"1 to {MAX_USES}")
    if grant.expires_in <= timedelta(0):
        raise InputError("token.expires", "a token must live for some time: it would expire at once")
    if authority.profile(grant.profile).probe:
        raise InputError("token.profile", f"only a proof uses this profile: {grant.profile!r}")
    at, secret = epoch(authority.clock()), new_secret(authority.random_bytes)
    record = TokenRecord(
        id=authority.random_bytes(ID_BYTES).hex(),
        secret_hash=hash_secret(secret),
        name=grant.name,
        profile=grant.profile,
        names=tuple(show_name(parse_name(name)) for name in grant.names),
        group=grant.group,
        lifetime=None if grant.lifetime is None else int(grant.lifetime.total_seconds()),
        uses=grant.uses,
        used=0,
        created_at=at,
        created_by=authority.actor,
        expires_at=at + int(grant.expires_in.total_seconds()),
        issuer=grant.issuer,
    )
    asked = _asked(authority, record, generate_key(P256).public_key())
    rehearse(authority, asked, name=record.name, issuer=record.issuer)
    return record, secret


def token_of(authority: Authority, secret: str) -> TokenRecord:
    """Return the token of a secret; one that is used up too, for ``issued_before``.

    Raises RefusedError ``token.unknown``, ``token.revoked``, ``token.expired``.
    """
    record = find_token(authority.store, hash_secret(secret))
    if record is None:
        raise RefusedError("token.unknown", "no such token")
    if record.revoked_at is not None:
        raise RefusedError("token.revoked", f"the token is revoked: {record.id}")
    if record.expires_at <= epoch(authority.clock()):
        raise RefusedError("token.expired", f"the token expired {show_moment(moment(record.expires_at))}: {record.id}")
    return record


def issued_before(
    authority: Authority, token: TokenRecord, public_key: CertificatePublicKeyTypes
) -> x509.Certificate | None:
    """Return the certificate that a token for one use gave this very key: its answer may have been lost on the way."""
    if not token.used or token.uses > 1:
        return None
    for record in authority.store.by_name(token.name, Status.VALID):
        if record.created_by == actor_of(token):
            certificate = x509.load_der_x509_certificate(record.certificate or b"")
            if certificate.public_key() == public_key:
                return certificate
    return None


def ask_by_token(authority: Authority, token: TokenRecord, csr: CSR) -> Asked:
    """Return what the token gives for the CSR's key; raises RefusedError ``token.used_up``, ``token.other_name``.

    A CSR may leave its names out; it may not ask for others than those of the token.
    """
    if token.used >= token.uses:
        raise _used_up(token)
    asked = _asked(authority, token, csr.public_key)
    common = common_name(csr.subject)
    allowed = {token.name, *(str(name.value) for name in asked.names)}
    foreign = [show_name(name) for name in csr.names if name not in asked.names]
    foreign += [] if common is None or common in allowed else [f"CN={common}"]
    if foreign:
        raise RefusedError(
            "token.other_name",
            f"the token is not for this name: {', '.join(foreign)}",
            hint=f"it is for {', '.join(dict.fromkeys([token.name, *map(show_name, asked.names)]))}",
        )
    return asked._replace(must_staple=csr.must_staple)


def prepare_by_token(authority: Authority, token: TokenRecord, csr: CSR) -> Prepared:
    """Decide on what ``ask_by_token`` says; raises what it and ``authority.issue`` raise."""
    return prepare(authority, ask_by_token(authority, token, csr), name=token.name, issuer=token.issuer)


def use_up(authority: Authority, token: TokenRecord) -> None:
    """Count one use, in the transaction that records what was issued for it; raises RefusedError ``token.used_up``."""
    if not use_token(authority.store, token.id, epoch(authority.clock())):
        raise _used_up(token)


def actor_of(token: TokenRecord) -> str:
    """Return as whom the inventory and the key-use log have what a token gave."""
    return f"token:{token.id}"


def acting(authority: Authority, token: TokenRecord) -> Authority:
    """Return the authority on behalf of a token."""
    return replace(authority, actor=actor_of(token))


def new_secret(random_bytes: Callable[[int], bytes]) -> str:
    """Return a secret of 256 random bits that can be typed, and be a part of any header."""
    return PREFIX + base64.urlsafe_b64encode(random_bytes(SECRET_BYTES)).decode().rstrip("=")


def hash_secret(secret: str) -> bytes:
    """Return what is kept of a secret: with 256 random bits in it a slow hash would protect nothing."""
    return sha256(secret.encode()).digest()


def _asked(authority: Authority, token: TokenRecord, public_key: CertificatePublicKeyTypes) -> Asked:
    profile = authority.profile(token.profile)
    lifetime = None if token.lifetime is None else timedelta(seconds=token.lifetime)
    if profile.purpose is Purpose.SERVER:
        if token.group:
            raise InputError("token.group", f"a server is in no group: {token.group!r}")
        return order_server(profile, token.name, public_key, more_names=token.names, lifetime=lifetime)
    return order_client(profile, token.name, public_key, more_names=token.names, group=token.group, lifetime=lifetime)


def _used_up(token: TokenRecord) -> RefusedError:
    return RefusedError("token.used_up", f"the token is used up: {token.id}")
