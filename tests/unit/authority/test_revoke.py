"""Who can be revoked, and who is on hold: said before anything is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authority_fixtures import make_client, small_ca
from counterseal.authority.revoke import find_held, find_revocable, revoke, unrevoke
from counterseal.errors import RefusedError
from counterseal.pki.crl import RevocationReason
from counterseal.pki.shown import show_serial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.authority.parts import Authority

HOLD, SUPERSEDED = RevocationReason.CERTIFICATE_HOLD, RevocationReason.SUPERSEDED


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    """Give a small CA with one client."""
    with small_ca(tmp_path) as authority:
        make_client(authority, "ann")
        yield authority


def test_what_is_on_hold_can_be_revoked_and_not_be_put_on_hold_again(authority: Authority) -> None:
    """And the hold be lifted."""
    revoke(authority, "ann", HOLD)
    assert find_revocable(authority, "ann", SUPERSEDED) == find_held(authority, "ann")
    with pytest.raises(RefusedError, match="is held since") as raised:
        find_revocable(authority, "ann", HOLD)
    assert raised.value.code == "revoke.already"
    unrevoke(authority, "ann")
    assert find_revocable(authority, "ann", HOLD).revoked_at is None


def test_what_is_revoked_is_so_for_good(authority: Authority) -> None:
    """Before a key is opened for it, and in a rehearsal: neither revoked again nor given back."""
    number = show_serial(revoke(authority, "ann", SUPERSEDED).serial_number)
    with pytest.raises(RefusedError, match="is revoked since") as raised:
        find_revocable(authority, number, HOLD)
    assert raised.value.code == "revoke.already"
    with pytest.raises(RefusedError, match="only a hold can be taken back") as raised:
        find_held(authority, number)
    assert raised.value.code == "unrevoke.not_held"
