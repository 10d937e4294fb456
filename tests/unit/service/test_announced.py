"""What is remembered of a shared store: used without asking, but not after a change, nor while nobody hears of one."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from counterseal.service import announced
from counterseal.store import postgresql_pool
from counterseal.store.announcements import certificate_subject, list_subject
from counterseal.store.postgresql_listener import PostgreSQLListener
from counterseal.store.records import CRLRecord
from pool_process import pool
from postgresql_process import cluster
from shared_store import Lab, shared_lab
from store_fixtures import NOW, certificate, issue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from counterseal.authority.parts import Authority
    from counterseal.service.shared_access import SharedAccess

pytestmark = pytest.mark.slow
SECONDS = 30.0
LISTENING = """
    select pid from pg_stat_activity where query like 'select pg_is_in_recovery%' and datname like 'test_%'
    order by query_start desc limit 1
"""


@dataclass
class Looking:
    """Asks for the standing of certificates, and counts how often the database was asked."""

    access: SharedAccess
    asked: int = 0

    async def standing(self, number: int) -> str | None:
        """Return the status of a certificate of this number."""

        def ask(authority: Authority) -> str | None:
            self.asked += 1
            found = authority.store.standing(number, issuer="clients")
            return found[0] if found else None

        return await self.access.recall(certificate_subject("clients", number), ask)

    async def until_kept(self, number: int) -> None:
        """Ask until the answer is remembered."""
        await until(lambda: self.access.look(certificate_subject("clients", number), no_job), self.standing, number)

    async def until_deaf(self) -> None:
        """Wait until the access knows that it does not hear."""
        await until(lambda: self.access._announced.moment() is None)


def no_job(_: Authority) -> str | None:
    """Stand for what is not run."""


async def until(condition: Callable[[], object], act: Callable[[int], object] | None = None, number: int = 0) -> None:
    """Wait for a condition, doing something each time it does not hold."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        if act is not None:
            await act(number)  # type: ignore[misc] # a coroutine
        await asyncio.sleep(0.01)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Return a laboratory with a few certificates."""
    with shared_lab(tmp_path) as made:
        with made.authority() as authority:
            issue(authority.store, *map(certificate, range(1, 4)))
        yield made


def revoke(lab: Lab, number: int, reason: str = "superseded") -> None:
    """Revoke as another host does."""
    with lab.authority() as other:
        other.store.revoke(number, at=NOW, reason=reason, crl_entry=b"x")


def test_nothing_is_asked_until_something_is_announced(lab: Lab) -> None:
    """A revocation concerns that certificate alone; a hold that is lifted is announced as well."""

    async def story(access: SharedAccess) -> None:
        looking = Looking(access)
        for number in (1, 2):
            await looking.until_kept(number)
        asked = looking.asked
        assert [await looking.standing(number) for number in (1, 2, 1, 2)] == ["valid"] * 4
        assert looking.asked == asked
        await asyncio.to_thread(revoke, lab, 1, "certificate_hold")
        await until(lambda: access.look(certificate_subject("clients", 1), no_job) is None)
        assert [await looking.standing(number) for number in (1, 2)] == ["held", "valid"]
        assert looking.asked == asked + 1
        await looking.until_kept(1)
        with lab.authority() as other:
            await asyncio.to_thread(other.store.unrevoke, 1)
        await until(lambda: access.look(certificate_subject("clients", 1), no_job) is None)
        assert await looking.standing(1) == "valid"

    lab.run(story)


def test_a_new_list_is_announced(lab: Lab) -> None:
    """So that the newest is served."""

    async def story(access: SharedAccess) -> None:
        def newest(authority: Authority) -> int | None:
            return authority.store.latest_crl_number("clients")

        subject = list_subject("clients")
        for number in (1, 2):
            with lab.authority() as other:
                await asyncio.to_thread(other.store.add_crl, CRLRecord("clients", number, NOW, NOW + 1, b"list", 0))
            await until(lambda: access.look(subject, newest) in {None, number})  # noqa: B023 - waited for here
            assert await access.recall(subject, newest) == number
            await until(lambda: access.look(subject, newest) == number, lambda _: access.recall(subject, newest))  # noqa: B023 - same

    lab.run(story)


@pytest.mark.parametrize("blow", ["lost", "silent"])
def test_who_does_not_hear_asks(lab: Lab, monkeypatch: pytest.MonkeyPatch, blow: str) -> None:
    """The listening connection is ended, or falls silent and stays open: what was kept is not used again."""
    monkeypatch.setattr(announced, "PAUSE_SECONDS", 1e9 if blow == "lost" else 0.0)
    monkeypatch.setattr(announced, "SILENCE_SECONDS", 1e9)

    async def story(access: SharedAccess) -> None:
        looking = Looking(access)
        for number in (1, 2):
            await looking.until_kept(number)
        ((listener,),) = await asyncio.to_thread(cluster().sql, LISTENING)
        assert isinstance(listener, int)
        if blow == "lost":
            await asyncio.to_thread(cluster().sql, f"select pg_terminate_backend({listener})")
        else:
            os.kill(listener, signal.SIGSTOP)
        try:
            await looking.until_deaf()
            await asyncio.to_thread(revoke, lab, 1)
            asked = looking.asked
            assert [await looking.standing(number) for number in (1, 2, 1)] == ["revoked", "valid", "revoked"]
            assert looking.asked == asked + 3
            assert access.look(certificate_subject("clients", 2), no_job) is None
        finally:
            if blow == "silent":
                os.kill(listener, signal.SIGCONT)
        if blow == "silent":
            await looking.until_kept(2)
            assert [await looking.standing(number) for number in (1, 2)] == ["revoked", "valid"]

    lab.run(story)


def test_a_connection_that_is_frozen_keeps_nobody_from_listening(lab: Lab) -> None:
    """As after a failover, one that writes still stands at the old server, which says nothing and does not hang up."""

    async def story(access: SharedAccess) -> None:
        looking = Looking(access)
        await looking.until_kept(1)
        frozen = access._writer.store._server.line.info.backend_pid  # type: ignore[attr-defined] # a PostgreSQLStore
        ((listener,),) = await asyncio.to_thread(cluster().sql, LISTENING)
        os.kill(frozen, signal.SIGSTOP)
        try:
            await asyncio.to_thread(cluster().sql, f"select pg_terminate_backend({listener})")
            await looking.until_deaf()
            await looking.until_kept(2)
        finally:
            os.kill(frozen, signal.SIGCONT)

    lab.run(story)


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_a_pool_that_swallows_announcements_is_noticed(lab: Lab, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """With pgbouncer: a connection for each client hears; where they are shared everything is asked for, and logged.

    Nobody opens a store by a pool that shares them; but one may begin to, as this one does for what is opened.
    """
    monkeypatch.setattr(postgresql_pool, "_is_shared", lambda *_: False)
    faults: list[str] = []
    monkeypatch.setattr(announced, "log_error", lambda fault, **_: faults.append(fault))

    async def story(access: SharedAccess) -> None:
        looking = Looking(access)
        if mode == "session":
            await looking.until_kept(1)
            assert not access.asks_each_time
            return
        await until(lambda: any("do not arrive" in fault for fault in faults))
        assert [await looking.standing(1) for _ in range(3)] == ["valid"] * 3
        assert looking.asked == 3
        assert access.asks_each_time
        await asyncio.to_thread(revoke, lab, 1)
        assert await looking.standing(1) == "revoked"

    with pool(cluster(), mode) as url_of:
        Lab(lab.path, url_of(lab.url)).run(story)
    assert bool(faults) == (mode == "transaction")


def test_a_pool_that_begins_to_swallow_is_noticed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing counts that was kept before, neither then nor when announcements arrive again."""
    monkeypatch.setattr(announced, "OWN_SECONDS", 0.1)
    real = PostgreSQLListener.hear_own

    async def story(access: SharedAccess) -> None:
        looking = Looking(access)
        await looking.until_kept(1)
        monkeypatch.setattr(PostgreSQLListener, "hear_own", lambda *_: set())
        await looking.until_deaf()
        asked = looking.asked
        assert [await looking.standing(1) for _ in range(2)] == ["valid"] * 2
        assert looking.asked == asked + 2
        monkeypatch.setattr(PostgreSQLListener, "hear_own", real)
        await until(lambda: not access.asks_each_time)
        assert access.look(certificate_subject("clients", 1), no_job) is None
        await looking.until_kept(1)

    lab.run(story)


def test_what_is_revoked_while_it_is_read_is_not_kept(lab: Lab) -> None:
    """The announcement comes between the look and the keeping: the next one asks."""

    async def story(access: SharedAccess) -> None:
        looking, subject = Looking(access), certificate_subject("clients", 1)
        await looking.until_kept(2)
        heard = access._announced._announcements

        def slow(authority: Authority) -> str | None:
            found = authority.store.standing(1, issuer="clients")
            revoke(lab, 1)
            return found[0] if found else None

        assert await access.recall(subject, slow) == "valid"  # it was, when the question came
        await until(lambda: access._announced._announcements > heard)
        assert await looking.standing(1) == "revoked"

    lab.run(story)
