"""A store in a server that goes away: who waits is answered when it is back, and never by a guess."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from access_jobs import reserve, taken
from counterseal.authority.revoke import revoke_record
from counterseal.errors import CountersealError, InputError, StoreError
from counterseal.pki.crl import RevocationReason
from counterseal.service import connections, shared_access
from counterseal.service import together as together_module
from counterseal.service.shared_access import SharedAccess
from counterseal.store.acme.accounts import add_account
from counterseal.store.acme.orders import add_order, change_order, claim_processing
from counterseal.store.acme.passing import NonceUse, use_nonce
from counterseal.store.acme.records import AccountRecord, OrderRecord
from counterseal.store.postgresql_failures import unreachable
from counterseal.suspension import wait_for
from postgresql_process import cluster
from shared_store import Lab, shared_lab
from store_fixtures import certificate, issue, key_use

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from counterseal.authority.parts import Authority

pytestmark = pytest.mark.slow
SECONDS = 30


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Return a laboratory."""
    with shared_lab(tmp_path) as made:
        yield made


def meet_at(barrier: asyncio.Barrier) -> None:
    """Wait, in a job, until others are there."""
    wait_for(asyncio.wait_for(barrier.wait(), SECONDS))


def test_what_fails_fails_alone(lab: Lab) -> None:
    """Of jobs at the same time one is undone, whatever it had written; an early answer comes too."""

    def refused(authority: Authority) -> None:
        reserve(2)(authority)
        raise InputError("test.no", "no")

    async def story(access: SharedAccess) -> tuple[list[Any], list[int]]:
        jobs = [access.write(job) for job in (reserve(1), refused, reserve(1))]
        early = access.write(reserve(3), durable=False)
        return await asyncio.gather(*jobs, early, return_exceptions=True), await access.read(taken)

    answers, numbers = lab.run(story)
    codes = [one.code if isinstance(one, CountersealError) else one for one in answers]
    assert codes[1::2] == ["test.no", 3]
    assert {codes[0], codes[2]} == {1, "store.serial_taken"}, "of two at once, either may be the first"
    assert numbers == [1, 3]


def test_two_replicas_write_at_once(lab: Lab) -> None:
    """Every number is taken once, however they meet."""

    async def story(first: SharedAccess) -> int:
        second = SharedAccess(lab.authority)
        jobs = [access.write(reserve(number)) for number in range(1, 41) for access in (first, second)]
        answers = await asyncio.gather(*jobs, return_exceptions=True)
        await second.close()
        assert len(await first.read(taken)) == 40
        return sum(isinstance(one, CountersealError) for one in answers)

    assert lab.run(story) == 40


def test_jobs_of_one_and_of_several_replicas_do_not_wait_for_each_other(lab: Lab) -> None:
    """Each is in its transaction while the others are."""
    meeting = asyncio.Barrier(4)

    def meet(number: int) -> Callable[[Authority], int]:
        def job(authority: Authority) -> int:
            reserve(number)(authority)
            meet_at(meeting)
            return number

        return job

    async def story(first: SharedAccess) -> list[int]:
        second = SharedAccess(lab.authority)
        jobs = [access.write(meet(number)) for number, access in enumerate([first, first, second, second], 1)]
        answers = await asyncio.gather(*jobs)
        await second.close()
        assert await first.read(taken) == [1, 2, 3, 4]
        return answers

    assert lab.run(story) == [1, 2, 3, 4]


def test_the_log_stays_one_chain(lab: Lab) -> None:
    """Several replicas record at once; each certificate has its entry, none is lost, and the chain holds."""

    def record(number: int) -> Callable[[Authority], None]:
        return lambda authority: authority.store.record(certificate(number), key_use(certificate(number)))

    async def story(first: SharedAccess) -> None:
        second = SharedAccess(lab.authority)
        for make in (reserve, record):
            await asyncio.gather(
                *(access.write(make(n + i)) for n in range(1, 61, 2) for i, access in enumerate((first, second)))
            )
        await second.close()
        report = await first.apart(lambda authority: authority.store.verify_key_uses())
        assert not report.findings
        assert await first.read(lambda authority: authority.store.key_use_head().sequence) == 60

    lab.run(story)


def test_of_two_revocations_at_once_one_is_refused(lab: Lab) -> None:
    """The row is locked before it is looked at, so the second one sees what the first has done."""

    def revoke(authority: Authority) -> str:
        record = authority.store.certificate(1)
        return str(revoke_record(authority, record, RevocationReason.SUPERSEDED).status)

    async def story(first: SharedAccess) -> list[str]:
        await first.write(lambda authority: issue(authority.store, certificate(1)))
        second = SharedAccess(lab.authority)
        jobs = [access.write(revoke) for access in (first, second) * 4]
        answers = await asyncio.gather(*jobs, return_exceptions=True)
        await second.close()
        return sorted(one.code if isinstance(one, CountersealError) else str(one) for one in answers)

    assert lab.run(story) == ["revoke.already"] * 7 + ["revoked"]


def test_what_waits_for_each_other_is_done_again(lab: Lab) -> None:
    """Two jobs take two rows in different order: the database undoes one, which begins anew; both are done."""
    met, begun = asyncio.Barrier(2), set[tuple[int, ...]]()

    def take(*numbers: int) -> Callable[[Authority], int]:
        def job(authority: Authority) -> int:
            authority.store.hold(numbers[0])
            if numbers not in begun:  # the one that begins anew is alone
                begun.add(numbers)
                meet_at(met)
            authority.store.hold(numbers[1])
            return numbers[0]

        return job

    async def story(access: SharedAccess) -> list[int]:
        await access.write(lambda authority: issue(authority.store, certificate(1), certificate(2)))
        return list(await asyncio.gather(access.write(take(1, 2)), access.write(take(2, 1))))

    assert lab.run(story) == [1, 2]


def test_who_claims_skips_what_is_claimed(lab: Lab) -> None:
    """Two replicas look at once: each gets other orders, and neither waits."""
    met = asyncio.Barrier(2)

    def fill(authority: Authority) -> None:
        account = AccountRecord("a", "t", "{}", "valid", "[]", terms_agreed=True, external_key=None, created_at=1)
        add_account(authority.store, account)
        for number in range(4):
            add_order(authority.store, OrderRecord(f"o{number}", "a", "ready", "[]", "[]", "server", 1, 2))
            change_order(authority.store, f"o{number}", was="ready", status="processing", csr=b"csr")

    def claim(authority: Authority) -> tuple[str, ...]:
        found = claim_processing(authority.store, everything=True, limit=2)
        meet_at(met)
        return found

    async def story(access: SharedAccess) -> set[str]:
        await access.write(fill)
        first, second = await asyncio.gather(access.write(claim), access.write(claim))
        assert len(first) == len(second) == 2
        return {*first, *second}

    assert lab.run(story) == {"o0", "o1", "o2", "o3"}


def test_a_lost_connection_is_made_anew(lab: Lab) -> None:
    """Of readers and of the writer; the job is done once."""

    async def story(access: SharedAccess) -> list[int]:
        await access.write(reserve(1))
        await asyncio.to_thread(
            cluster().sql, "select pg_terminate_backend(pid) from pg_stat_activity where datname like 'test_%'"
        )
        assert await access.read(taken) == [1]
        await access.write(reserve(2))
        return await access.read(taken)

    assert lab.run(story) == [1, 2]


def test_a_server_that_takes_no_more_connections(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done apart, such as a list to be signed, goes on with the one that is kept.

    One that was lost is made anew, and so is one whose server is silent: the next one may be another's.
    """
    monkeypatch.setattr(shared_access, "RECALL_SECONDS", 0.3)
    full = False

    def open_one() -> Authority:
        if full:
            raise unreachable("sorry, too many clients already")
        return lab.authority()

    async def story() -> None:
        nonlocal full
        access = SharedAccess(open_one)
        try:
            assert await access.apart(taken) == []
            full = True
            await access.write(reserve(1))
            assert await access.apart(taken) == [1]
            full = False
            await asyncio.to_thread(
                cluster().sql, "select pg_terminate_backend(pid) from pg_stat_activity where datname like 'test_%'"
            )
            assert list(await asyncio.gather(access.apart(taken), access.apart(taken))) == [[1], [1]]
            full = True
            cluster().send(signal.SIGSTOP)
            with pytest.raises(CountersealError, match="too many clients"):
                await asyncio.wait_for(access.apart(taken), SECONDS)
        finally:
            cluster().send(signal.SIGCONT)
            await access.close()

    asyncio.run(story())
    deadline = time.monotonic() + SECONDS
    while cluster().sql("select 1 from pg_stat_activity where datname like 'test_%'"):
        assert time.monotonic() < deadline, "a connection is left"


def test_who_asks_waits_for_nobody(lab: Lab) -> None:
    """Neither for the disk, also on a connection that was made anew, nor for who writes alone; what he writes stays."""

    def ask(authority: Authority) -> tuple[NonceUse, object]:
        return use_nonce(authority.store, "n", 5), authority.store.row("show synchronous_commit")

    async def story(access: SharedAccess) -> list[object]:
        with lab.authority() as alone, alone.store.transaction():
            answers = [await asyncio.wait_for(access.ask(ask), SECONDS)]
        await asyncio.to_thread(
            cluster().sql, "select pg_terminate_backend(pid) from pg_stat_activity where datname like 'test_%'"
        )
        return [*answers, await access.ask(ask)]

    assert lab.run(story) == [(NonceUse.FIRST, ("off",)), (NonceUse.AGAIN, ("off",))]


def test_a_silent_server_is_given_up(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen with the connection open: it is cut, and the job is done once when the server answers again."""
    monkeypatch.setattr(connections, "SILENCE_SECONDS", 0.3)

    async def story(access: SharedAccess) -> tuple[int, list[int]]:
        cut = 0
        authority = access._writer
        real = type(authority.store).cut

        def count(store: Any) -> None:  # noqa: ANN401 - the store, patched
            nonlocal cut
            cut += 1
            if cut == 2:
                monkeypatch.setattr(connections, "SILENCE_SECONDS", SECONDS)  # a busy machine is not silent
                cluster().send(signal.SIGCONT)
            real(store)

        monkeypatch.setattr(type(authority.store), "cut", count)
        cluster().send(signal.SIGSTOP)
        try:
            assert await access.write(reserve(1)) == 1
        finally:
            cluster().send(signal.SIGCONT)
        return cut, await access.read(taken)

    cut, numbers = lab.run(story)
    assert cut >= 2
    assert numbers == [1]


@pytest.mark.parametrize("together", [None, ""])
def test_nothing_is_begun_where_nothing_can_be_written(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, together: str | None
) -> None:
    """A server that may only be read, as a primary does that became a standby: no key signs what cannot be recorded."""
    for module in (connections, together_module):
        monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.5)
    begun: list[int] = []

    def job(authority: Authority) -> None:
        begun.append(1)
        reserve(1)(authority)

    async def story(access: SharedAccess) -> str:
        writers = [access._writers._free.get_nowait() for _ in range(shared_access.WRITERS)]
        for writer in writers:
            writer.store.run("set default_transaction_read_only = on")
            access._writers._free.put_nowait(writer)
        with pytest.raises(StoreError) as caught:
            await access.write(job, together=together)
        return caught.value.code

    assert (lab.run(story), begun) == ("store.read_only", [])


@pytest.mark.parametrize("together", [None, ""])
def test_who_waits_behind_others_is_told_as_soon(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, together: str | None
) -> None:
    """So many that they wait for each other's turn: the time of each is counted from when he asked."""
    patience, crowd = 2.0, 400
    for module in (connections, together_module):
        monkeypatch.setattr(module, "PATIENCE_SECONDS", patience)

    def away(*_: object, **__: object) -> NoReturn:
        raise unreachable("gone")

    async def story(access: SharedAccess) -> float:
        monkeypatch.setattr(type(access._writer.store), "begin", away)
        began = time.monotonic()
        answers = await asyncio.gather(
            *(access.write(reserve(1), together=together) for _ in range(crowd)), return_exceptions=True
        )
        assert {getattr(one, "code", one) for one in answers} == {"store.unreachable"}
        return time.monotonic() - began

    assert lab.run(story) < 2 * patience


def test_a_commit_without_an_answer_is_not_guessed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked is told to look; it is not done a second time."""

    async def story(access: SharedAccess) -> list[int]:
        store = access._writer.store
        commit = type(store).commit

        def lose(one: Any) -> None:  # noqa: ANN401 - the store, patched
            if one._depth == 1:
                monkeypatch.undo()
                commit(one)  # it is done, and the answer is lost
                raise unreachable("gone")
            commit(one)

        monkeypatch.setattr(type(store), "commit", lose)
        with pytest.raises(CountersealError) as caught:
            await access.write(reserve(1))
        assert caught.value.code == "store.unanswered"
        await access.write(reserve(2))
        return await access.read(taken)

    assert lab.run(story) == [1, 2]


def test_a_stop_does_not_wait_for_a_database_that_is_away(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers that were reserved ahead are given back at once or stay; otherwise it is waited for."""
    monkeypatch.setattr(connections, "PATIENCE_SECONDS", 100 * SECONDS)

    def away(*_: object, **__: object) -> NoReturn:
        raise unreachable("gone")

    async def story() -> None:
        access = SharedAccess(lab.authority)
        assert access._writer.ahead
        access._writer.ahead.add("clients", [1])
        monkeypatch.setattr(type(access._writer.store), "begin", away)
        await asyncio.wait_for(access.close(), SECONDS)

    asyncio.run(story())
