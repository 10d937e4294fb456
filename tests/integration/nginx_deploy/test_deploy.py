"""Deploys onto a real nginx: one that succeeds, and every failure, after which the old bytes are served."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import disks
from counterseal.errors import DeployError, NginxError
from counterseal.nginx.deploy import STEPS, ProofOutcome, deploy
from counterseal.nginx.generations import Directories, list_generations, read_current
from counterseal.nginx.retention import prune
from counterseal.nginx.status import read_status
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from counterseal.fileset import FileSet
    from integration.nginx_deploy.bench import Bench, State

pytestmark = pytest.mark.nginx


def _refused(bench: Bench, before: State, attempt: Callable[[], object] | None = None) -> DeployError:
    """Deploy, expect a refusal, and see that everything is as it was."""
    with pytest.raises(DeployError) as caught:
        (attempt or bench.deploy)()
    assert bench.state() == before
    assert bench.litter() == []
    return caught.value


def test_the_first_deploy_starts_nginx_and_the_second_reloads_it(bench: Bench) -> None:
    """Each is served when the call returns, by new workers, proved, and recorded so; every step was told in order."""
    told: list[str] = []
    bench.on_step = told.append
    first = bench.deploy()
    assert tuple(told) == STEPS
    assert (first.generation, first.active.started, first.active.previous) == (1, True, None)
    assert (bench.state().link, bench.served()) == (1, 1)
    second = bench.deploy()
    assert (second.generation, second.active.started, second.active.previous) == (2, False, 1)
    assert first.active.reload
    assert second.active.reload
    assert second.active.reload.master == first.active.reload.master
    assert not set(second.active.reload.workers) & set(first.active.reload.workers)
    assert (bench.state().link, bench.served()) == (2, 2)
    assert [(found.number, found.proven) for found in list_generations(bench.base)] == [(1, True), (2, True)]
    assert bench.litter() == []
    assert second.seconds < 5


def test_six_deploys_keep_five_generations(bench: Bench) -> None:
    """The oldest goes when the sixth is in force."""
    results = [bench.deploy() for _ in range(6)]
    assert [result.pruned for result in results] == [()] * 5 + [(1,)]
    assert [found.number for found in list_generations(bench.base)] == [2, 3, 4, 5, 6]


def test_a_syntax_error_is_refused_before_nginx_is_touched(bench: Bench) -> None:
    """The line of nginx names the directive and the file; the workers are the same as before."""
    bench.deploy()
    before, workers = bench.state(), bench.all_workers()
    bench.extra = "ssl_verify_client maybe;"
    error = _refused(bench, before)
    assert (error.code, bench.nginx.worker_pids()) == ("deploy.test_failed", workers)
    assert 'invalid value "maybe" in' in (error.quote or "")
    assert "current/http.conf:" in (error.quote or "")
    assert error.hint == "generation 1 is in force, as before"


def test_a_key_of_another_certificate_is_refused(bench: Bench) -> None:
    """The pair does not match: nginx says so, and the old pair is served."""
    bench.deploy()
    before = bench.state()
    bench.key_of = "other.test"
    error = _refused(bench, before)
    assert error.code == "deploy.test_failed"
    assert "key values mismatch" in (error.quote or "").replace("_", " ").lower()


def test_a_server_name_taken_twice_is_refused(bench: Bench) -> None:
    """Only a warning to nginx, but the second block would never be served."""
    bench.deploy()
    before = bench.state()
    bench.extra = f"}} server {{ listen 127.0.0.1:{bench.port} ssl; server_name site.test;"
    error = _refused(bench, before)
    assert error.code == "deploy.test_failed"
    assert 'conflicting server name "site.test"' in (error.quote or "")


def test_a_port_that_only_the_master_finds_in_use_is_refused(bench: Bench) -> None:
    """The bind line is quoted, and nginx is on the old configuration."""
    bench.deploy()
    before = bench.state()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        bench.extra = f"listen 127.0.0.1:{port};"
        error = _refused(bench, before)
    assert error.code == "deploy.reload_failed"
    assert f"bind() to 127.0.0.1:{port} failed" in (error.quote or "")
    bench.extra = ""
    assert bench.deploy().generation == 3


def test_workers_that_die_at_their_start_are_replaced_by_workers_on_the_old_bytes(bench: Bench) -> None:
    """The master took the new configuration, so going back needs a reload of its own."""
    bench.deploy()
    before = bench.state()
    bench.main = "working_directory /nonexistent;"
    error = _refused(bench, before)
    assert error.code == "deploy.reload_failed"
    assert 'chdir("/nonexistent") failed' in (error.quote or "")


def test_a_generation_that_never_answers_is_taken_back(bench: Bench) -> None:
    """It passed the test and the workers run, but the address is not the one that is asked."""
    bench.deploy()
    before, port = bench.state(), bench.port

    def files(number: int) -> FileSet:
        bench.port = taken_port
        try:
            return bench.files(number)
        finally:
            bench.port = port

    taken_port, bench.limits = free_port(), replace(bench.limits, answer=2)
    error = _refused(bench, before, lambda: deploy(files, place=bench.place, prove=bench.prove, reason="a test"))
    assert error.code == "deploy.not_answering"
    assert error.hint == "another server block or another nginx may have the address and the name"


def test_a_proof_that_says_no_takes_the_generation_back(bench: Bench) -> None:
    """The error carries the whole proof; the failed generation stays on disk to be read, unproven."""
    bench.deploy()
    before = bench.state()
    bench.refuse = ["a revoked client got 200"]
    error = _refused(bench, before)
    assert error.code == "deploy.proof_failed"
    assert error.message == "generation 2 fails its proof: served: 2"
    assert isinstance(error.proof, ProofOutcome)
    assert error.proof.details == bench.refuse
    assert [(found.number, found.proven) for found in list_generations(bench.base)] == [(1, True), (2, False)]


def test_where_the_old_generation_does_not_answer_either_that_is_said(bench: Bench) -> None:
    """Nobody is told that all is as before where another server has the address."""
    bench.deploy()
    bench.limits = replace(bench.limits, answer=0.2)
    place = replace(bench.place, answers=lambda _: False)
    with pytest.raises(DeployError) as caught:
        deploy(bench.files, place=place, prove=bench.prove, reason="a test")
    assert caught.value.code == "deploy.not_answering"
    bench.refuse = True
    place = replace(bench.place, answers=lambda number: number != 1)
    with pytest.raises(DeployError) as caught:
        deploy(bench.files, place=place, prove=bench.prove, reason="a test")
    assert caught.value.hint == "generation 1 is in force again, but does not answer"


def test_many_failed_deploys_do_not_push_out_the_good_ones(bench: Bench) -> None:
    """Only the newest failed generation stays beside the proven ones."""
    bench.deploy()
    bench.extra = "nonsense;"
    for _ in range(7):
        with pytest.raises(DeployError):
            bench.deploy()
    assert [found.number for found in list_generations(bench.base)] == [1, 8]
    assert prune(bench.base) == ()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interruption_takes_the_generation_back_and_goes_on(bench: Bench, interruption: type[BaseException]) -> None:
    """Ctrl-C, or a fault in what was handed in, is no reason to leave an unproved generation in force."""
    bench.deploy()
    before = bench.state()

    def prove(_: int) -> ProofOutcome:
        raise interruption

    with pytest.raises(interruption):
        deploy(bench.files, place=bench.place, prove=prove, reason="a test")
    assert bench.state() == before
    assert bench.litter() == []


@pytest.mark.parametrize(
    ("failure", "code"),
    [("test", "deploy.test_failed"), ("start", "deploy.start_failed"), ("proof", "deploy.proof_failed")],
)
def test_a_failed_first_deploy_leaves_nothing_running(bench: Bench, failure: str, code: str) -> None:
    """There is nothing to go back to: no link, no nginx, no journal."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bench.extra = {"test": "nonsense;", "start": f"listen 127.0.0.1:{taken.getsockname()[1]};"}.get(failure, "")
        bench.refuse = failure == "proof"
        with pytest.raises(DeployError) as caught:
            bench.deploy()
    assert caught.value.code == code
    assert (bench.nginx.master_pid(), read_current(bench.base), bench.litter()) == (None, None, [])
    assert "no generation is in force" in (caught.value.hint or "")
    bench.extra, bench.refuse = "", None
    assert bench.deploy().generation == 2


def test_an_nginx_that_was_stopped_is_started_again_by_the_next_deploy(bench: Bench) -> None:
    """And one whose deploy failed is left as it was: stopped."""
    bench.deploy()
    bench.nginx.stop(within=30)
    bench.refuse = True
    with pytest.raises(DeployError):
        bench.deploy()
    assert (bench.nginx.master_pid(), read_current(bench.base)) == (None, 1)
    bench.refuse = None
    result = bench.deploy()
    assert (result.active.started, bench.served()) == (True, 3)


def test_a_missing_nginx_is_told_before_anything_is_written(bench: Bench) -> None:
    """Not even a directory of a generation is made."""
    bench.binary = Path("/nonexistent/nginx")
    with pytest.raises(NginxError) as caught:
        bench.deploy()
    assert caught.value.code == "nginx.missing"
    assert not Directories(bench.base).generations.exists()


def test_a_foreign_thing_in_the_place_of_the_link_is_not_touched(bench: Bench) -> None:
    """Someone's directory named ``current`` stays."""
    (bench.base / "current").mkdir(parents=True)
    with pytest.raises(DeployError) as caught:
        bench.deploy()
    assert caught.value.code == "deploy.foreign_link"
    assert (bench.base / "current").is_dir()


def test_the_status_tells_what_is_so(bench: Bench) -> None:
    """Before, during and after: nginx, the generation, its files, the configuration as it is on disk now."""
    empty = read_status(bench.place)
    assert (empty.running, empty.generation, empty.link, empty.workers) == (False, None, None, ())
    bench.deploy()
    workers = bench.all_workers()
    good = read_status(bench.place)
    assert (good.running, good.generation, good.link, good.proven) == (True, 1, "generations/0001", True)
    assert (good.workers, good.changed, good.journal, good.faults) == (workers, (), None, ())
    assert (good.version or "").startswith("nginx version: nginx/1.")
    assert good.test is not None
    assert good.test.passed
    (bench.base / "current/http.conf").write_text("nonsense;")
    broken = read_status(bench.place)
    assert (broken.changed, broken.test is not None and broken.test.passed) == (("http.conf",), False)
    bench.binary = Path("/nonexistent/nginx")
    assert [fault.code for fault in read_status(bench.place).faults] == ["nginx.missing"]


def _mount(*arguments: str) -> None:
    if subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode != 0:
        pytest.skip("may not mount a file system here")


def test_a_read_only_directory_is_named_and_nothing_changes(bench: Bench) -> None:
    """For root, who may write everywhere else, it is a read-only mount."""
    bench.deploy()
    before = bench.state()
    generations = Directories(bench.base).generations
    if os.geteuid() == 0:
        _mount("--bind", str(generations), str(generations))
        _mount("-o", "remount,ro,bind", str(generations))
    else:
        generations.chmod(0o500)
    try:
        error = _refused(bench, before)
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", "--lazy", str(generations)], check=True)
        else:
            generations.chmod(0o711)
    assert error.code == "deploy.write_failed"
    assert str(generations) in error.message
    assert error.hint in {
        "the file system is mounted read-only",
        "run as the user who owns the directory, or choose another one",
    }


@pytest.fixture
def small_disk(bench: Bench) -> Iterator[Path]:
    """Put the base on a file system of 256 kB; only root can make one."""
    with disks.small_disk(bench.base, size=256 * 1024) as disk:
        yield disk
        bench.close()


def test_a_full_disk_leaves_the_old_generation_and_nothing_half_written(bench: Bench, small_disk: Path) -> None:
    """The error says what to do, and after it was done the next deploy succeeds."""
    bench.deploy()
    before = bench.state()
    disks.fill(small_disk)
    error = _refused(bench, before)
    assert error.code == "deploy.write_failed"
    assert "no space left on device" in error.message
    assert "free some space" in (error.hint or "")
    assert [found.number for found in list_generations(bench.base)] == [1]
    (small_disk / "filler").unlink()
    assert bench.deploy().generation == 2


@pytest.mark.parametrize("step", ["register", "switch", "test", "reload", "answer", "prove", "commit"])
def test_a_disk_that_becomes_full_in_the_middle_does_not_stop_the_way_back(
    bench: Bench, small_disk: Path, step: str
) -> None:
    """The way back was prepared beforehand, so it needs no room; a step that needs none may also succeed."""
    bench.deploy()
    before = bench.state()

    def fill(now: str) -> None:
        if now == step:
            disks.fill(small_disk)

    bench.on_step = fill
    with pytest.raises(DeployError) as caught:
        bench.deploy()
    assert caught.value.code in {"deploy.write_failed", "deploy.reload_failed"}
    assert "no space left on device" in caught.value.message
    assert (bench.state(), bench.litter()) == (before, [])
    bench.on_step = lambda _: None
    (small_disk / "filler").unlink()
    shutil.rmtree(Directories(bench.base).directory(2), ignore_errors=True)
    assert bench.deploy().active.previous == 1
