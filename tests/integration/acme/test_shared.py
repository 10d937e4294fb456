"""What differs where others share the store (PostgreSQL): an account that is remembered may have been changed."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acme_signing import ClientKey
from counterseal.protocols.acme.jwk import AccountKey
from counterseal.store.acme.accounts import set_account_key, set_account_status, set_contact
from counterseal.store.postgresql import open_store
from integration.acme.conftest import start_lab
from postgresql_process import cluster

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_an_account_that_was_changed_elsewhere_is_read_anew(tmp_path: Path) -> None:
    """Who is remembered is told to come again, and then is who he has become, with his new key at once."""
    url = cluster().create()
    with ExitStack() as stack:
        client = start_lab(stack, tmp_path / "home", f'[store]\nurl = "{url}"\n').client()
        elsewhere = stack.enter_context(open_store(url))
        account, new_order = str(client.kid).rpartition("/")[2], client.directory["newOrder"]

        def order() -> tuple[int, str]:
            answer = client.send(
                new_order, client.sign(new_order, {"identifiers": [{"type": "dns", "value": "a.example.com"}]})
            )
            return answer.status, answer.problem

        assert [order() for _ in range(2)] == [(201, "")] * 2
        set_contact(elsewhere, account, '["mailto:new@example.com"]')
        assert [order() for _ in range(2)] == [(400, "badNonce"), (201, "")]
        finalize = client.order("a.example.com").json["finalize"]
        set_contact(elsewhere, account, '["mailto:newer@example.com"]')
        signed = client.sign(finalize, {"csr": "AA"})
        assert [client.send(finalize, signed).problem for _ in range(2)] == ["badNonce"] * 2
        assert order() == (201, "")
        for new in (ClientKey(), ClientKey(Ed25519PrivateKey.generate())):
            canonical = AccountKey.of(new.jwk)
            was = client.key.thumbprint
            assert set_account_key(elsewhere, account, was=was, thumbprint=canonical.thumbprint, jwk=canonical.jwk)
            client.key = new
            assert order() == (201, "")
        set_account_status(elsewhere, account, "deactivated")
        assert [order() for _ in range(2)] == [(400, "badNonce"), (401, "unauthorized")]
        client.close()
