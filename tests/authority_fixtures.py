"""A small CA for tests, with plain keys and a clock that is handed in."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from counterseal.authority.create import RootPlan, create
from counterseal.authority.issue import issue
from counterseal.authority.order import order_client, order_server
from counterseal.authority.parts import Authority
from counterseal.keystore.file import FileKeyStore
from counterseal.pki.subject import parse_subject
from counterseal.store.sqlite import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from pathlib import Path

    from counterseal.authority.signing import Issued

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def small_ca(path: Path, root: str = "CN=Root", *, single_tier: bool = False) -> Iterator[Authority]:
    """Make a root with the CAs ``servers`` and ``clients``, or alone, in ``path``; it is always ``NOW`` there."""
    with open_store(path / "store.db", create=True, one_thread=False) as store:
        keystore = FileKeyStore(path / "keys", lambda: None)
        authority = Authority(store, keystore, lambda: NOW, os.urandom, "test")
        create(authority, RootPlan(parse_subject(root), single_tier=single_tier, encrypt=False))
        yield authority


def make_client(
    authority: Authority,
    name: str = "ann",
    *,
    lifetime: timedelta | None = None,
    key: ec.EllipticCurvePrivateKey | None = None,
) -> Issued:
    """Issue a client certificate, for a key that is thrown away unless one is given."""
    public_key = (key or ec.generate_private_key(ec.SECP256R1())).public_key()
    asked = order_client(authority.profile("client"), name, public_key, lifetime=lifetime)
    return issue(authority, asked, name=name)


def make_server(authority: Authority, name: str = "a.test", *, key: ec.EllipticCurvePrivateKey | None = None) -> Issued:
    """Issue a server certificate, likewise."""
    public_key = (key or ec.generate_private_key(ec.SECP256R1())).public_key()
    return issue(authority, order_server(authority.profile("server"), name, public_key), name=name)
