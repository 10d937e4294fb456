"""What is left when no certificate comes of what was begun: nothing of it, and a line in the log for a signature."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

import pytest

from authority_fixtures import small_ca
from counterseal.authority.ahead import Ahead, reserve_ahead
from counterseal.authority.token import Grant, make_token, prepare_by_token, token_of
from counterseal.errors import StoreError
from counterseal.service.access import Access
from counterseal.service.issuing import issue
from counterseal.service.metrics import Metrics
from counterseal.store.records import Status
from counterseal.store.sqlite import open_store
from unit.authority.test_token import request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from counterseal.authority.parts import Authority
    from counterseal.authority.signing import Issued, Prepared
    from counterseal.service.issuing import Last


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


def reserved(authority: Authority) -> set[int]:
    """Return the numbers that are taken and belong to no certificate."""
    return {one.serial_number for one in authority.store.reserved_before(1 << 40)}


def test_a_number_reserved_ahead_saves_a_commit(tmp_path: Path) -> None:
    """Where that certificate fails, the use of the key is logged, and the number stays taken; unused ones are freed."""

    async def go(authority: Authority) -> None:
        metrics = Metrics()
        access = Access(authority, replace(authority, ahead=Ahead()), lambda: authority, metrics)
        token = token_of(authority, make_token(authority, Grant("ann", "client", uses=9))[1])

        async def get(last: Last = lambda *_: None) -> int:
            issued = await issue(
                access,
                lambda authority: prepare_by_token(authority, token, request()),
                acting=lambda authority: authority,
                last=last,
            )
            return issued.record.serial_number

        def fail(_: Authority, issued: Issued) -> NoReturn:
            failed.append(issued.record.serial_number)
            raise StoreError("test.lost", "lost")

        failed: list[int] = []
        first = await get()
        assert access._reserving
        await access._reserving
        ahead, commits = reserved(authority), metrics.commits._value.get()
        assert first not in ahead
        assert await get() in ahead
        assert metrics.commits._value.get() == commits + 1
        with pytest.raises(StoreError, match="lost"):
            await get(fail)
        assert await get() in ahead - set(failed)
        await access.close()
        assert reserved(authority) == set(failed)
        *_, discarded, last = authority.store.key_uses()
        assert (discarded.action, [discarded.serial_number]) == ("certificate, discarded", failed)
        assert last.action == "certificate"

    with small_ca(tmp_path) as authority:
        asyncio.run(go(authority))


def test_what_the_database_undid_is_signed_anew(tmp_path: Path) -> None:
    """With another number; what was signed before is logged as discarded, in the transaction that is done again."""

    async def go(authority: Authority) -> list[int]:
        access = Access(authority, replace(authority, ahead=Ahead()), lambda: authority)
        token = token_of(authority, make_token(authority, Grant("ann", "client", uses=9))[1])
        signed: list[int] = []

        async def twice(job: Callable[[Authority], Issued | None]) -> Issued | None:
            def undone(authority: Authority) -> NoReturn:
                issued = job(authority)
                assert issued
                signed.append(issued.record.serial_number)
                raise StoreError("store.conflict", "undone")

            with suppress(StoreError):
                await access.write(undone)
            return await access.write(job)

        def begin(authority: Authority) -> Prepared:
            return prepare_by_token(authority, token, request())

        await issue(access, begin, acting=lambda authority: authority)
        assert access._reserving
        await access._reserving
        issued = await issue(access, begin, acting=lambda authority: authority, write=twice)
        await access.close()
        return [*signed, issued.record.serial_number]

    with small_ca(tmp_path) as authority:
        first, second = asyncio.run(go(authority))
        told = [(use.action, use.serial_number) for use in authority.store.key_uses()]
        assert told[-2:] == [("certificate, discarded", first), ("certificate", second)]
        assert [one.serial_number for one in authority.store.reserved_before(1 << 40)] == [first]


@pytest.mark.parametrize("code", ["store.unreachable", "store.read_only"])
def test_who_waited_for_the_database_waits_once(tmp_path: Path, code: str) -> None:
    """What was signed is logged as discarded once that can be done, after the answer and before the service ends."""

    async def go(authority: Authority) -> list[str]:
        access = Access(authority, authority, lambda: authority)
        token = token_of(authority, make_token(authority, Grant("ann", "client"))[1])

        def away(*_: object) -> NoReturn:
            raise StoreError(code, "gone")

        with pytest.raises(StoreError, match="gone"):
            await issue(
                access,
                lambda authority: prepare_by_token(authority, token, request()),
                acting=lambda authority: authority,
                last=away,
                undo=lambda _: pytest.fail("it may go on when the database is back"),
            )
        answered = [use.action for use in authority.store.key_uses()]
        await access.close()
        return [use.action for use in authority.store.key_uses()][len(answered) :]

    with small_ca(tmp_path) as authority:
        assert asyncio.run(go(authority)) == ["certificate, discarded"]


def test_no_key_signs_for_a_store_that_was_moved_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither with a number that was reserved ahead nor without; what was signed just before is told to the log."""
    signed: list[int] = []

    def sign(prepared: Prepared) -> bytes:
        signed.append(prepared.preview.serial_number)
        return prepared.draft.sign(prepared.signer)

    def move() -> None:
        with open_store(tmp_path / "store.db") as source, source.transaction():
            source.retire("elsewhere")

    async def sign_and_move(_: Access, prepared: Prepared) -> bytes:
        content = prepared.sign()
        move()
        return content

    async def go(authority: Authority) -> None:
        ahead = Ahead()
        access = Access(authority, replace(authority, ahead=ahead), lambda: authority)
        token = token_of(authority, make_token(authority, Grant("ann", "client", uses=9))[1])

        async def get() -> None:
            await issue(
                access,
                lambda authority: prepare_by_token(authority, token, request()),
                acting=lambda authority: authority,
            )

        monkeypatch.setattr("counterseal.authority.signing.Prepared.sign", sign)
        await access.write(lambda authority: ahead.add("clients", reserve_ahead(authority, "clients")))
        await get()
        taken, ahead_of_move = ahead.next("clients"), ahead._numbers["clients"]
        assert taken is not None
        ahead._mine.clear()
        ahead._numbers["clients"] = type(ahead_of_move)()
        monkeypatch.setattr("counterseal.service.issuing.sign", sign_and_move)
        with pytest.raises(StoreError, match=r"was moved from .* to elsewhere"):
            await get()
        assert len(signed) == 2
        ahead.add("clients", [taken])
        for _ in range(2):
            with pytest.raises(StoreError, match=r"was moved from .* to elsewhere"):
                await get()
        assert len(signed) == 2
        await access.close()

    with small_ca(tmp_path) as authority:
        asyncio.run(go(authority))
        assert authority.store.verify_key_uses().findings == ()
    (told,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert (told["event"], told["code"]) == ("signed, and recorded nowhere", "store.moved")
    assert int(told["serial_number"].replace(":", ""), 16) == signed[1]
