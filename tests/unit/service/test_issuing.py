"""What is left when no certificate comes of what was begun: nothing of it, and a line in the log for a signature."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NoReturn

import pytest

from authority_fixtures import small_ca
from counterseal.authority.token import Grant, make_token, prepare_by_token, token_of
from counterseal.errors import StoreError
from counterseal.service.access import Access
from counterseal.service.issuing import issue
from counterseal.store.records import Status
from unit.authority.test_token import request

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.authority.parts import Authority
    from counterseal.authority.signing import Prepared


@pytest.mark.parametrize(
    ("fails", "told"), [("begin", []), ("sign", ["undo"]), ("last", ["undo", "certificate, discarded"])]
)
def test_what_was_begun_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str, told: list[str]) -> None:
    """But only once it is durable."""
    undone: list[str] = []

    def fail(*_: object) -> NoReturn:
        raise StoreError("test.lost", "lost")

    async def attempt(authority: Authority) -> None:
        access = Access(authority, authority, lambda: authority)
        if fails == "sign":
            monkeypatch.setattr("counterseal.service.issuing.sign", fail)

        def begin(authority: Authority) -> Prepared:
            return fail() if fails == "begin" else prepare_by_token(authority, token, request())

        token = token_of(authority, make_token(authority, Grant("ann", "client"))[1])
        try:
            await issue(
                access,
                begin,
                acting=lambda authority: authority,
                last=fail if fails == "last" else lambda *_: None,
                undo=lambda _: undone.append("undo"),
            )
        finally:
            await access.close()

    with small_ca(tmp_path) as authority:
        before = sum(1 for _ in authority.store.key_uses())
        with pytest.raises(StoreError, match="lost"):
            asyncio.run(attempt(authority))
        assert undone + [use.action for use in authority.store.key_uses()][before:] == told
        assert not authority.store.by_name("ann", Status.VALID)
