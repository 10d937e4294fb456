"""Certificates recorded in one transaction: as safe as each in its own."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from access_jobs import reserve, taken
from counterseal.errors import InputError, StoreError
from counterseal.service import together
from counterseal.store.issuance import Issuance
from counterseal.store.postgresql_failures import unreachable
from service_process import SECONDS
from shared_store import Lab, shared_lab
from store_fixtures import certificate, key_use

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from counterseal.authority.parts import Authority
    from counterseal.service.shared_access import SharedAccess

pytestmark = pytest.mark.slow


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Return a laboratory."""
    with shared_lab(tmp_path) as made:
        yield made


def record(number: int) -> Callable[[Authority], int]:
    """Return a job that records this certificate, whose number is reserved."""

    def job(authority: Authority) -> int:
        authority.store.record(certificate(number), key_use(certificate(number)))
        return number

    return job


async def recorded(access: SharedAccess) -> list[int]:
    """Return which certificates have their entry in the log, whose chain holds."""
    report = await access.apart(lambda authority: authority.store.verify_key_uses())
    assert not report.findings
    uses = await access.read(lambda authority: list(authority.store.key_uses()))
    return [use.serial_number or 0 for use in uses]


async def gather(access: SharedAccess, *jobs: Callable[[Authority], Any]) -> list[Any]:
    """Have the jobs done at once, together; return answers and codes of errors."""
    works = [access.write(job, together="") for job in jobs]
    answers = await asyncio.gather(*works, return_exceptions=True)
    return [getattr(one, "code", one) for one in answers]


def test_what_comes_at_once_is_one_commit(lab: Lab) -> None:
    """With one lock of the log's head; all are recorded, in a chain that holds."""

    async def story(access: SharedAccess) -> tuple[float, list[int]]:
        await gather(access, *map(reserve, range(1, 9)))
        before = access._metrics.commits._value.get()
        assert await gather(access, *map(record, range(1, 9))) == [*range(1, 9)]
        return access._metrics.commits._value.get() - before, await recorded(access)

    assert lab.run(story) == (1, [*range(1, 9)])


def test_who_may_want_the_same_rows_takes_them_in_one_order(lab: Lab) -> None:
    """However they come, so that no two transactions wait for each other; those that may be lost are done so too."""
    done: list[tuple[bool, str]] = []

    def note(word: str, *, durable: bool) -> Callable[[Authority], None]:
        return lambda _: done.append((durable, word))

    async def story(access: SharedAccess) -> None:
        asked = [(word, durable) for word in "bac" for durable in (True, False)]
        works = [access.write(note(word, durable=one), durable=one, together=word) for word, one in asked]
        await asyncio.gather(*works)

    lab.run(story)
    assert [word for durable, word in done if durable] == [*"abc"]
    assert [word for durable, word in done if not durable] == [*"abc"]


def test_what_is_refused_is_undone_alone(lab: Lab) -> None:
    """Whatever it had written or recorded; the others are done."""

    def refused(authority: Authority) -> None:
        reserve(9)(authority)
        record(2)(authority)
        raise InputError("test.no", "no")

    async def story(access: SharedAccess) -> None:
        await gather(access, *map(reserve, range(1, 4)))
        assert await gather(access, record(1), refused, record(3)) == [1, "test.no", 3]
        assert await recorded(access) == [1, 3]
        assert 9 not in await access.read(taken)

    lab.run(story)


def test_what_cannot_be_recorded_spoils_nothing(lab: Lab) -> None:
    """A number that nobody reserved shows at the end only: then each is done alone."""

    async def story(access: SharedAccess) -> None:
        await gather(access, *map(reserve, (1, 3)))
        assert await gather(access, record(1), record(2), record(3)) == [1, "store.not_reserved", 3]
        assert await recorded(access) == [1, 3]

    lab.run(story)


def test_a_value_that_cannot_be_stored_spoils_nothing(lab: Lab) -> None:
    """It shows at the end only as well, and is the fault of one."""

    def unstorable(authority: Authority) -> None:
        one = certificate(2, name="no\0such")
        authority.store.record(one, key_use(one))

    async def story(access: SharedAccess) -> None:
        await gather(access, *map(reserve, range(1, 4)))
        assert await gather(access, record(1), unstorable, record(3)) == [1, "store.value", 3]
        assert await recorded(access) == [1, 3]

    lab.run(story)


def test_who_comes_just_when_the_others_end_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both transactions are done in the same turn of the loop, and who was answered first asks again at once."""
    monkeypatch.setattr(together.Together, "_do", lambda *given: [(one.future, 1, None) for one in given[-1]])

    async def story() -> None:
        begun: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()

        async def run(work: Callable[[Any], list[Any]], *, until: float) -> list[Any]:  # noqa: ARG001 - nobody is away
            gate = asyncio.get_running_loop().create_future()
            begun.put_nowait(gate)
            await gate
            return work(None)

        async def ask(times: int) -> None:
            for _ in range(times):
                await works.do(lambda _: 1, undone=False)

        works = together.Together(run, lambda _: nullcontext())
        first = asyncio.ensure_future(ask(2))
        gates = [await begun.get()]
        second = asyncio.ensure_future(ask(1))
        gates.append(await begun.get())
        for gate in gates:
            gate.set_result(None)
        last = await asyncio.wait_for(begun.get(), SECONDS)
        last.set_result(None)
        await asyncio.gather(first, second)

    asyncio.run(story())


def test_a_lost_answer_is_told_to_all(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether their common commit happened nobody knows, so none is done a second time."""

    async def story(access: SharedAccess) -> list[int]:
        await gather(access, *map(reserve, range(1, 4)))
        commit = type(access._writer.store).commit

        def lose(store: Any) -> None:  # noqa: ANN401 - the store, patched
            alone = store._depth == 1
            commit(store)
            if alone:
                monkeypatch.undo()
                raise unreachable("gone")

        monkeypatch.setattr(type(access._writer.store), "commit", lose)
        assert await gather(access, *map(record, range(1, 4))) == ["store.unanswered"] * 3
        return await recorded(access)

    assert lab.run(story) == [1, 2, 3]


def test_what_the_database_undid_is_done_again(lab: Lab) -> None:
    """Each job of the group, alone."""
    attempts: list[int] = []

    def undone_once(number: int) -> Callable[[Authority], int]:
        def job(authority: Authority) -> int:
            attempts.append(number)
            if attempts.count(number) == 1 and number == 2:
                raise StoreError("store.conflict", "undone")
            return record(number)(authority)

        return job

    async def story(access: SharedAccess) -> list[int]:
        await gather(access, *map(reserve, range(1, 4)))
        assert await gather(access, *map(undone_once, range(1, 4))) == [1, 2, 3]
        return await recorded(access)

    assert lab.run(story) == [1, 2, 3]
    assert attempts == [1, 2, 1, 2, 3]


def test_who_waits_for_a_row_in_vain_is_told_so(lab: Lab) -> None:
    """Also who has no step of his own, whose common transaction is lost."""

    def impatient(authority: Authority) -> object:
        authority.store.run("set local lock_timeout = 10")
        return authority.store.rows("select name from ca for update")

    async def story(access: SharedAccess) -> str:
        with lab.authority() as other:
            other.store.begin(alone=False)
            other.store.rows("select name from ca for update")
            with pytest.raises(StoreError) as caught:
                await access.write(impatient, together="", undone=False)
            other.store.abandon()
        return caught.value.code

    assert lab.run(story) == "store.busy"


def test_who_waits_in_vain_waits_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody holds the head of the log for too long: all are told, and none is tried alone for as long again."""
    tried: list[int] = []

    def busy(_: object, issued: list[object]) -> NoReturn:
        tried.append(len(issued))
        raise StoreError("store.busy", "busy")

    async def story(access: SharedAccess) -> None:
        await gather(access, *map(reserve, range(1, 4)))
        monkeypatch.setattr(Issuance, "_record_all", busy)
        assert await gather(access, *map(record, range(1, 4))) == ["store.busy"] * 3

    lab.run(story)
    assert tried == [3]
