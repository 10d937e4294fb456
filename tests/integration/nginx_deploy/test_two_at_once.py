"""Processes that deploy at the same time: they wait or refuse, and never is there a mix."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import DeployError
from counterseal.nginx.generations import list_generations
from counterseal.nginx.lock import await_lock, hold_lock
from counterseal.nginx.waiting import system_clock, wait_until
from integration.nginx_deploy.bench import LIMITS
from integration.nginx_deploy.forked import KILLED, await_exit, die, fork, run_forked

if TYPE_CHECKING:
    from pathlib import Path

    from integration.nginx_deploy.bench import Bench

pytestmark = pytest.mark.nginx


def _hold_at(bench: Bench, step: str, gate: Path) -> Bench:
    """Return a bench whose deploy makes ``gate`` at ``step`` and goes on when it is gone."""

    def wait(now: str) -> None:
        if now == step:
            gate.touch()
            assert wait_until(lambda: not gate.exists(), within=30, clock=system_clock())

    return replace(bench, on_step=wait)


def test_the_second_waits_for_the_first(bench: Bench, tmp_path: Path) -> None:
    """Each gets a number of its own, and the later one is in force."""
    bench.deploy()
    gate = tmp_path / "gate"
    first = fork(_hold_at(bench, "prove", gate).deploy)
    assert wait_until(gate.exists, within=30, clock=system_clock())
    second = replace(bench, on_step=lambda step: gate.unlink() if step == "lock" else None).deploy()
    assert await_exit(first) == 0
    assert (second.generation, second.active.previous, bench.served()) == (3, 2, 3)
    assert [(found.number, found.proven) for found in list_generations(bench.base)] == [(1, True), (2, True), (3, True)]


def test_the_second_refuses_when_its_time_is_over_and_names_the_first(bench: Bench, tmp_path: Path) -> None:
    """It has touched nothing: the first one ends as if it had been alone."""
    bench.deploy()
    gate = tmp_path / "gate"
    first = fork(_hold_at(bench, "switch", gate).deploy)
    assert wait_until(gate.exists, within=30, clock=system_clock())
    with pytest.raises(DeployError) as caught:
        replace(bench, limits=replace(LIMITS, lock=0.2)).deploy()
    assert (caught.value.code, caught.value.message) == (
        "deploy.busy",
        f"another deploy is under way: process {first}",
    )
    gate.unlink()
    assert await_exit(first) == 0
    assert (bench.state().link, bench.served(), bench.litter()) == (2, 2, [])


def test_four_at_once_all_come_to_their_turn(bench: Bench) -> None:
    """Four processes, four generations, the last one in force and proved."""
    children = [fork(bench.deploy) for _ in range(4)]
    assert [await_exit(child) for child in children] == [0, 0, 0, 0]
    assert [(found.number, found.proven) for found in list_generations(bench.base)] == [(n, True) for n in (1, 2, 3, 4)]
    assert (bench.state().link, bench.served(), bench.litter()) == (4, 4, [])


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    """The kernel gives it back; the number in the file is only a word to people."""

    def take_and_die() -> None:
        with hold_lock(tmp_path / "lock", within=0, clock=system_clock()):
            die()

    assert run_forked(take_and_die) == KILLED
    with hold_lock(tmp_path / "lock", within=0, clock=system_clock()):
        assert (tmp_path / "lock").read_text().split() == [str(os.getpid())]


def test_who_only_looks_waits_as_well_and_holds_nothing(tmp_path: Path) -> None:
    """A rehearsal compares with what another deploy is about to change; it makes no file to find that out."""
    lock, clock, told = tmp_path / "lock", system_clock(), list[str]()
    await_lock(lock, within=0, clock=clock)
    assert not lock.exists()
    with hold_lock(lock, within=0, clock=clock):
        with pytest.raises(DeployError) as caught:
            await_lock(lock, within=0, clock=clock, on_busy=told.append)
        assert (caught.value.code, told) == ("deploy.busy", [str(os.getpid())])
    await_lock(lock, within=0, clock=clock, on_busy=told.append)
    assert len(told) == 1
