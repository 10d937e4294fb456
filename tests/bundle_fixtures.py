"""Credentials for the tests of bundles, out of the common PKI."""

from __future__ import annotations

from functools import cache

from counterseal.bundles.credential import Credential
from pki_fixtures import CLIENT_NAME, SERVER_NAME, key_of, make_client, pki

PASSWORD = "k7mp-w2xh-9tqr-n4vd-b8cz"


@cache
def client_credential(kind: str = "p-256", *, name: str = CLIENT_NAME) -> Credential:
    """Return a client with this kind of key below the client CA below the root."""
    ca = pki().client_ca
    issued = make_client(ca, CLIENT_NAME, key=key_of(kind, 1))
    return Credential(name, issued.certificate, (ca.certificate,), pki().root.certificate, issued.private_key)


def server_credential() -> Credential:
    """Return the server below the server CA below the root."""
    known = pki()
    chain = (known.server_ca.certificate,)
    return Credential(SERVER_NAME, known.server.certificate, chain, known.root.certificate, known.server.private_key)


def single_tier_credential() -> Credential:
    """Return a client that its root issued: an empty chain."""
    issued, root = pki().lone_client, pki().lone_root
    return Credential(CLIENT_NAME, issued.certificate, (), root.certificate, issued.private_key)


def without_key(credential: Credential) -> Credential:
    """Return the same credential with its key elsewhere."""
    return Credential(
        credential.name, credential.certificate, credential.chain, credential.trust_anchor, private_key=None
    )
