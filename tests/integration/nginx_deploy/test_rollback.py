"""Rolling back: an older generation with the same bytes, proved again, or everything as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.errors import DeployError, NotFoundError, RefusedError
from counterseal.nginx.deploy import rollback
from counterseal.nginx.lock import hold_lock
from counterseal.nginx.waiting import system_clock

if TYPE_CHECKING:
    from integration.nginx_deploy.bench import Bench

pytestmark = pytest.mark.nginx


def _refused(bench: Bench, to: int | None = None) -> DeployError:
    before = bench.state()
    with pytest.raises(DeployError) as caught:
        bench.rollback(to)
    assert (bench.state(), bench.litter()) == (before, [])
    return caught.value


def test_a_rollback_serves_the_same_bytes_as_before(bench: Bench) -> None:
    """Without a number it goes to the one that was in force before, again and again; with one, there."""
    bench.deploy()
    first = bench.state()
    bench.deploy()
    bench.deploy()
    third = bench.state()
    assert bench.rollback().generation == 2
    assert bench.rollback().generation == 1
    assert bench.state() == first
    result = bench.rollback(3)
    assert (result.generation, result.active.previous) == (3, 1)
    assert bench.state() == third


def test_after_a_rollback_a_deploy_goes_on_from_there(bench: Bench) -> None:
    """Numbers are never used twice, and the way back leads to what was in force, not to what was left."""
    bench.deploy()
    bench.deploy()
    bench.rollback()
    assert bench.deploy().generation == 3
    assert bench.rollback().generation == 1


def test_there_is_nothing_to_go_back_to_after_the_first_deploy(bench: Bench) -> None:
    """It is said so, and nothing is touched."""
    bench.deploy()
    assert _refused(bench).code == "deploy.no_previous"


def test_a_generation_that_was_edited_is_not_put_in_force(bench: Bench) -> None:
    """The error names the files."""
    bench.deploy()
    bench.deploy()
    edited = bench.base / "generations/0001/http.conf"
    edited.write_bytes(edited.read_bytes() + b"# edited\n")
    error = _refused(bench)
    assert (error.code, error.message) == (
        "deploy.generation_changed",
        "generation 1 was changed since it was written: http.conf",
    )


def test_a_generation_that_failed_its_proof_is_not_put_in_force(bench: Bench) -> None:
    """Nor one that never was."""
    bench.deploy()
    bench.refuse = True
    with pytest.raises(DeployError):
        bench.deploy()
    assert _refused(bench, 2).code == "deploy.not_proven"
    with pytest.raises(NotFoundError, match="no such generation: 9"):
        bench.rollback(9)


def test_an_old_generation_that_fails_its_proof_today_is_left_again(bench: Bench) -> None:
    """Its revocation list may have expired since: then the current one stays."""
    bench.deploy()
    bench.deploy()
    bench.refuse = "expired list"
    assert _refused(bench).code == "deploy.proof_failed"


def test_a_rollback_is_judged_where_no_other_deploy_comes_between(bench: Bench) -> None:
    """Who is revoked while it waits for another deploy is known when it decides; what it refuses stays untouched."""
    bench.deploy()
    bench.deploy()
    before = bench.state()

    def judge(number: int) -> None:
        lock, clock = bench.place.directories.lock, system_clock()
        with pytest.raises(DeployError, match="another deploy is under way"), hold_lock(lock, within=0, clock=clock):
            pass
        raise RefusedError("rollback.readmits", f"generation {number} lets ann in again")

    with pytest.raises(RefusedError, match="generation 1 lets ann in again"):
        rollback(place=bench.place, prove=bench.prove, judge=judge)
    assert (bench.state(), bench.litter()) == (before, [])
