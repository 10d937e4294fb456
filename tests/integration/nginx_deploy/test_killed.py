"""A deploying process killed at every step and before every deed: the next command finds the old state or the new."""

from __future__ import annotations

import os
import signal
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from counterseal.nginx.deploy import STEPS, mend
from counterseal.nginx.generations import find_changes, read_generation
from counterseal.nginx.status import read_status
from counterseal.nginx.undo import Recovery
from counterseal.nginx.waiting import wait_until
from integration.nginx_deploy.bench import Bench
from integration.nginx_deploy.forked import KILLED, REFUSED, await_exit, die, die_before_deed, fork, run_forked
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.nginx


def _die_at(bench: Bench, step: str) -> Bench:
    return replace(bench, on_step=lambda now: die() if now == step else None)


def _run_until(bench: Bench, deed: int, work: Callable[[Bench], object]) -> int:
    """Do ``work`` in a process that dies before its deed of that number; return its exit status."""
    return run_forked(lambda: work(replace(bench, clock=die_before_deed(deed))))


def _see_one_state(bench: Bench, *, old: int | None) -> int | None:
    """Run the next command, see that exactly one generation is in force in every respect, and return its number."""
    mend(bench.place)
    assert bench.litter() == []
    status = read_status(bench.place)
    assert (status.journal, status.faults) == (None, ())
    if status.generation is None:
        assert (old, status.running, status.link) == (None, False, None)
        return None
    found = read_generation(bench.base, status.generation)
    assert (found.proven, find_changes(found)) == (True, ())
    assert {bench.served() for _ in range(4)} == {status.generation}
    planned = {file.path: file.content for file in bench.files(status.generation)}
    assert bench.state().contents == planned
    return status.generation


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step_of_a_later_deploy(bench: Bench, step: str) -> None:
    """Before the commit the old generation comes back; after it the new one stays. Then deploys go on."""
    bench.deploy()
    assert run_forked(lambda: _die_at(bench, step).deploy()) == KILLED
    in_force = _see_one_state(bench, old=1)
    assert in_force == (2 if step == "prune" else 1)
    assert bench.deploy().active.previous == in_force
    assert bench.litter() == []


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step_of_the_first_deploy(bench: Bench, step: str) -> None:
    """Before the commit nothing is in force and nothing runs, as before."""
    assert run_forked(lambda: _die_at(bench, step).deploy()) == KILLED
    assert _see_one_state(bench, old=None) == (1 if step == "prune" else None)
    bench.deploy()
    assert bench.served() == bench.state().link


@pytest.mark.parametrize("step", [step for step in STEPS if step != "write"])
def test_killed_at_a_step_of_a_rollback(bench: Bench, step: str) -> None:
    """The target was proved before, and still it counts only when its own proof has passed now."""
    bench.deploy()
    bench.deploy()
    assert run_forked(_die_at(bench, step).rollback) == KILLED
    assert _see_one_state(bench, old=2) == (1 if step == "prune" else 2)


@pytest.fixture
def stopped(one_binary: Path, tmp_path: Path) -> Iterator[Bench]:
    """Give a bench with generation 1 in force, and its nginx stopped."""
    bench = Bench(tmp_path / "base", one_binary)
    bench.deploy()
    bench.nginx.stop(within=30)
    yield bench
    bench.close()


def _see_a_start(bench: Bench) -> int | None:
    """Run the next command, which starts nothing; see what somebody's start of nginx then serves."""
    mend(bench.place)
    assert (bench.litter(), bench.nginx.master_pid()) == ([], None)
    status = read_status(bench.place)
    assert (status.journal, status.faults, status.changed) == (None, (), ())
    assert status.proven == (status.generation == 1)
    bench.nginx.start(within=30)
    assert bench.served() == status.generation
    bench.nginx.stop(within=30)
    return status.generation


@pytest.mark.parametrize("step", [step for step in STEPS if step not in {"reload", "answer", "prove"}])
def test_killed_at_a_step_of_a_deploy_that_starts_nothing(stopped: Bench, step: str) -> None:
    """Nginx is not started; it would start with the old generation, or with the new one, unproved."""
    assert run_forked(lambda: _die_at(stopped, step).deploy(may_rest=True)) == KILLED
    assert _see_a_start(stopped) == (2 if step == "prune" else 1)
    assert stopped.deploy(may_rest=True).active.proof is None
    newest = _see_a_start(stopped)
    assert stopped.deploy().active.previous == newest, "a deploy that is asked for starts and proves"
    assert stopped.served() == stopped.state().link


def test_who_mends_is_told_once_the_old_generation_answers(bench: Bench) -> None:
    """Not before: a reload is over with its first worker, and what answers then may still be the new one."""
    bench.deploy()
    asked: list[int] = []
    bench.on_step = lambda step: die() if step == "prove" else None
    assert run_forked(bench.deploy) == KILLED

    def answers(number: int) -> bool:
        asked.append(number)
        return len(asked) > 2

    place = replace(bench.place, answers=answers)
    assert mend(place) == Recovery(2, in_force=1, answers=True)
    assert asked == [1, 1, 1]


def _die_before_it_is_forgotten(bench: Bench, *, may_rest: bool) -> None:
    """Deploy, and die with the last step written down and the journal still there; for a process of its own."""
    pytest.MonkeyPatch().setattr("counterseal.nginx.undo.remove_journal", lambda _: die())
    bench.deploy(may_rest=may_rest)


def test_killed_when_the_proof_was_written_down(bench: Bench) -> None:
    """The new generation is in force from then on: a way back would let in again whom it locks out."""
    bench.deploy()
    assert run_forked(lambda: _die_before_it_is_forgotten(bench, may_rest=False)) == KILLED
    assert _see_one_state(bench, old=1) == 2


def test_killed_when_it_was_written_down_that_nothing_is_started(stopped: Bench) -> None:
    """The same for the next start."""
    assert run_forked(lambda: _die_before_it_is_forgotten(stopped, may_rest=True)) == KILLED
    assert _see_a_start(stopped) == 2


@pytest.mark.slow
def test_killed_before_every_deed_of_a_deploy_that_starts_nothing(stopped: Bench) -> None:
    """The same before each file made, renamed or removed."""
    deeds, status, before = 0, KILLED, 1
    while status == KILLED:
        deeds += 1
        status = _run_until(stopped, deeds, lambda bench: bench.deploy(may_rest=True))
        seen = _see_a_start(stopped)
        assert seen is not None
        assert seen >= before
        before = seen
    assert (status, before > 1, deeds > 20) == (0, True, True)


@pytest.mark.parametrize("old", [None, 1], ids=["starting", "reloading"])
def test_killed_while_nginx_is_still_at_work_on_it(bench: Bench, old: int | None) -> None:
    """What nginx was told goes on without us: here it waits for a port, and gets it after our death."""
    if old:
        bench.deploy()
    log = bench.base / "run/error.log"
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        bench.extra = f"listen 127.0.0.1:{port};"
        deploying = fork(bench.deploy)
        assert wait_until(lambda: log.exists() and f":{port} failed" in log.read_text(), within=30, clock=bench.clock)
        os.kill(deploying, signal.SIGKILL)
        assert await_exit(deploying) == KILLED
    bench.extra = ""
    assert _see_one_state(bench, old=old) == old
    with socket.create_server(("127.0.0.1", port)):
        assert bench.nginx.starting_pids() == ()


@pytest.mark.slow
@pytest.mark.parametrize("refuse", [None, "the proof says no"], ids=["accepted", "refused"])
def test_killed_before_every_deed_of_a_later_deploy(one_binary: Path, tmp_path: Path, refuse: str | None) -> None:
    """Every file made, renamed or removed, every signal and every wait: also on the way back from a refusal."""
    bench = Bench(tmp_path / "base", one_binary)
    try:
        in_force = bench.deploy().generation
        deeds, status = 0, KILLED
        while status == KILLED:
            deeds += 1
            attempt = replace(bench, refuse=refuse)
            status = _run_until(attempt, deeds, Bench.deploy)
            seen = _see_one_state(bench, old=in_force)
            assert seen is not None
            assert seen >= in_force if refuse is None else seen == in_force
            in_force = seen
        assert status == (0 if refuse is None else REFUSED)
        assert deeds > 50
    finally:
        bench.close()


@pytest.mark.slow
def test_killed_before_every_deed_of_the_first_deploy(one_binary: Path, tmp_path: Path) -> None:
    """The nginx that was just being started is found and ended, though it had no pid file yet."""
    deeds, status = 0, KILLED
    while status == KILLED:
        deeds += 1
        bench = Bench(tmp_path / str(deeds), one_binary)
        try:
            status = _run_until(bench, deeds, Bench.deploy)
            assert _see_one_state(bench, old=None) in {None, 1}
        finally:
            bench.close()
    assert status == 0
    assert deeds > 50


@pytest.mark.slow
def test_killed_while_mending(one_binary: Path, tmp_path: Path) -> None:
    """The command that mends is killed itself, before each of its deeds, and the next one mends what both left."""
    bench = Bench(tmp_path / "base", one_binary)
    try:
        bench.deploy()
        deeds, status = 0, KILLED
        while status == KILLED:
            deeds += 1
            assert run_forked(lambda: _die_at(bench, "prove").deploy()) == KILLED
            status = _run_until(bench, deeds, lambda bench: mend(bench.place))
            assert _see_one_state(bench, old=1) == 1
        assert status == 0
        assert deeds > 5  # a fast nginx leaves less to wait for
    finally:
        bench.close()
