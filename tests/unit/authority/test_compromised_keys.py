"""A key that somebody else has is certified no more: whoever asks, for whatever name, of whichever CA."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authority_fixtures import make_client, make_server, small_ca
from counterseal.authority.issue import issue, rehearse
from counterseal.authority.order import order_client, order_server
from counterseal.authority.renew import ask_again
from counterseal.authority.revoke import revoke, revoke_record
from counterseal.authority.revoke_ca import revoke_ca
from counterseal.errors import RefusedError
from counterseal.pki.crl import RevocationReason
from counterseal.pki.shown import show_serial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from counterseal.authority.parts import Authority

KEY = ec.generate_private_key(ec.SECP256R1())
COMPROMISED, SUPERSEDED = RevocationReason.KEY_COMPROMISE, RevocationReason.SUPERSEDED


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    """Give a small CA with one client, ann, and one certificate more for the same key, held by bob."""
    with small_ca(tmp_path) as authority:
        make_client(authority, "ann", key=KEY)
        make_client(authority, "bob", key=KEY)
        yield authority


def again(authority: Authority) -> object:
    """Renew what bob has."""
    record = authority.store.by_name("bob")[0]
    return issue(authority, ask_again(authority, record), name="bob")


def rehearsed(authority: Authority) -> object:
    """Ask for another client, and issue nothing."""
    asked = order_client(authority.profile("client"), "carol", KEY.public_key())
    return rehearse(authority, asked, name="carol")


def compressed(authority: Authority) -> object:
    """Ask for it with the point in its other form (SEC 1 2.3.3)."""
    point = KEY.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    same = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    return issue(authority, order_client(authority.profile("client"), "dave", same), name="dave")


ASKING: list[Callable[[Authority], object]] = [
    lambda authority: make_client(authority, "carol", key=KEY),
    lambda authority: make_server(authority, key=KEY),
    again,
    rehearsed,
    compressed,
]


@pytest.mark.parametrize("ask", ASKING, ids=["client", "server", "renew", "rehearse", "compressed"])
def test_a_compromised_key_gets_nothing(authority: Authority, ask: Callable[[Authority], object]) -> None:
    """Before the revocation it does; the refusal names the certificate, and says what to do."""
    ask(authority)
    (record,) = authority.store.by_name("ann")
    revoke_record(authority, record, COMPROMISED)
    shown = f"clients/{show_serial(record.serial_number)}"
    with pytest.raises(RefusedError, match=f"the key is compromised, .*: {shown}$") as raised:
        ask(authority)
    assert (raised.value.code, "new key" in str(raised.value.hint)) == ("key.compromised", True)


def test_a_key_that_was_only_superseded_is_certified_again(authority: Authority) -> None:
    """Nobody else has it."""
    revoke(authority, "ann", SUPERSEDED)
    again(authority)


def test_the_key_of_a_stolen_ca_gets_nothing(authority: Authority) -> None:
    """It could be that of a server as well."""
    public_key = authority.issuer("clients").certificate.public_key()
    revoke_ca(authority, "clients", RevocationReason.CA_COMPROMISE)
    asked = order_server(authority.profile("server"), "a.test", public_key)
    with pytest.raises(RefusedError, match="the key is compromised"):
        rehearse(authority, asked, name="a.test")
