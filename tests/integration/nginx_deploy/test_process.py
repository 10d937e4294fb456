"""A real nginx started, reloaded and stopped: what counts as taken over, and what as failed."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import NginxError
from counterseal.nginx.generations import prepare_link, switch_link, write_generation
from counterseal.nginx.process import NginxProcess
from counterseal.nginx.proctable import read_title
from counterseal.nginx.target import Target
from counterseal.nginx.waiting import system_clock, wait_until
from integration.nginx_deploy.forked import REFUSED, await_exit, fork, run_forked

if TYPE_CHECKING:
    from integration.nginx_deploy.bench import Bench

pytestmark = pytest.mark.nginx


def _put(bench: Bench, number: int) -> None:
    (bench.base / "run").mkdir(parents=True, exist_ok=True)
    write_generation(bench.base, bench.files(number), number=number, created_at=system_clock().now(), reason="test")
    switch_link(bench.base, prepare_link(bench.base, number, name="next"))


def test_start_reload_and_stop(bench: Bench) -> None:
    """After a reload only new workers serve, and they serve the new files."""
    _put(bench, 1)
    assert bench.nginx.master_pid() is None
    started = bench.nginx.start(within=30)
    old = bench.all_workers()
    assert (started.master, bench.served()) == (bench.nginx.master_pid(), 1)
    assert set(started.workers) <= set(old)
    bench.workers = 3
    _put(bench, 2)
    reloaded = bench.nginx.reload_and_wait(within=30)
    assert reloaded.master == started.master
    assert not set(reloaded.workers) & set(old)
    assert {bench.served() for _ in range(20)} == {2}
    assert not set(bench.all_workers()) & set(old)
    bench.nginx.stop(within=30)
    assert (bench.nginx.master_pid(), bench.served()) == (None, None)
    bench.nginx.stop(within=30)


def test_a_worker_that_finishes_its_connections_is_not_waited_for(bench: Bench) -> None:
    """A client in the middle of a request keeps its old worker, which takes no new connection any more."""
    _put(bench, 1)
    bench.nginx.start(within=30)
    old = bench.all_workers()
    with bench.connect() as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: site.test\r\n\r\n")
        assert client.recv(1)
        _put(bench, 2)
        bench.nginx.reload_and_wait(within=30)
        assert _alive(old) in {1, 2}  # the other one may still be on its way out
        assert {bench.served() for _ in range(10)} == {2}
        assert wait_until(lambda: _alive(old) == 1, within=30, clock=system_clock())
    assert wait_until(lambda: _alive(old) == 0, within=30, clock=system_clock())


def _alive(workers: tuple[int, ...]) -> int:
    return sum(bool(read_title(pid)) for pid in workers)


def test_a_port_in_use_is_found_by_the_master_only(bench: Bench) -> None:
    """The test of nginx passes; the reload fails with the bind line quoted, and the old workers serve on."""
    _put(bench, 1)
    bench.nginx.start(within=30)
    workers = bench.all_workers()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        bench.extra = f"listen 127.0.0.1:{port};"
        _put(bench, 2)
        with pytest.raises(NginxError) as caught:
            bench.nginx.reload_and_wait(within=30)
    assert caught.value.code == "nginx.reload_failed"
    assert f"bind() to 127.0.0.1:{port} failed" in (caught.value.quote or "")
    assert (bench.nginx.worker_pids(), bench.served()) == (workers, 1)


def test_a_configuration_that_the_master_refuses_is_quoted(bench: Bench) -> None:
    """The old workers serve on."""
    _put(bench, 1)
    bench.nginx.start(within=30)
    bench.extra = "no_such_directive on;"
    _put(bench, 2)
    with pytest.raises(NginxError) as caught:
        bench.nginx.reload_and_wait(within=30)
    assert 'unknown directive "no_such_directive"' in (caught.value.quote or "")
    assert bench.served() == 1


def test_a_worker_that_dies_at_its_start_is_a_failed_reload(bench: Bench) -> None:
    """The master took the configuration, but no worker can live with it."""
    _put(bench, 1)
    bench.nginx.start(within=30)
    bench.main = "working_directory /proc/1/nonexistent;"
    _put(bench, 2)
    with pytest.raises(NginxError) as caught:
        bench.nginx.reload_and_wait(within=30)
    assert caught.value.code == "nginx.reload_failed"
    assert 'chdir("/proc/1/nonexistent") failed' in (caught.value.quote or "")


def test_a_start_on_a_taken_port_fails_with_nginx_s_line(bench: Bench) -> None:
    """Nothing is left running."""
    _put(bench, 1)
    with socket.create_server(("127.0.0.1", bench.port)), pytest.raises(NginxError) as caught:
        bench.nginx.start(within=30)
    assert caught.value.code == "nginx.start_failed"
    assert f"bind() to 127.0.0.1:{bench.port} failed" in (caught.value.quote or "")
    assert (bench.nginx.master_pid(), bench.nginx.starting_pids()) == (None, ())


def test_a_start_that_hangs_is_ended(bench: Bench) -> None:
    """Else it would go on some time, with the files that it has read, after all was put back."""
    _put(bench, 1)
    with socket.create_server(("127.0.0.1", bench.port)):
        starting = fork(lambda: bench.nginx.start(within=30))
        assert wait_until(lambda: bool(bench.nginx.starting_pids()), within=30, clock=system_clock())
        for pid in bench.nginx.starting_pids():
            os.kill(pid, signal.SIGSTOP)
        bench.nginx.settle(within=0.1)
        assert wait_until(lambda: not bench.nginx.starting_pids(), within=10, clock=system_clock())
    assert await_exit(starting) == REFUSED


def test_a_pid_file_that_names_another_program_is_not_believed(bench: Bench) -> None:
    """Neither a number that now belongs to someone else nor a torn file is ever signalled."""
    _put(bench, 1)
    for content in (str(os.getpid()), "", "0", "-1", "99999999", "one"):
        bench.target.pid_file.write_text(content)
        assert bench.nginx.master_pid() is None
    with pytest.raises(NginxError) as caught:
        bench.nginx.reload_and_wait(within=1)
    assert caught.value.code == "nginx.not_running"


def test_an_nginx_of_another_base_is_not_ours(bench: Bench) -> None:
    """A private target knows its master by the configuration it was started with."""
    _put(bench, 1)
    bench.nginx.start(within=30)
    foreign = Target(
        **{name: getattr(bench.target, name) for name in bench.target.__slots__} | {"conf": Path("/x.conf")}
    )
    assert NginxProcess(foreign, system_clock()).master_pid() is None
    assert bench.nginx.master_pid() is not None


def test_a_master_that_was_killed_leaves_a_pid_file_that_counts_as_not_running(bench: Bench) -> None:
    """After kill -9 of the master: the pid file stays, the answer is none."""
    _put(bench, 1)
    family = (bench.nginx.start(within=30).master, *bench.all_workers())
    for pid in family:
        os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not any(map(read_title, family)), within=30, clock=system_clock())
    assert bench.target.pid_file.exists()
    assert bench.nginx.master_pid() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_user_who_may_not_signal_nginx_is_told_so(bench: Bench) -> None:
    """Without a systemd unit of that master there is no other way in."""
    _put(bench, 1)
    bench.nginx.start(within=30)
    for folder in (bench.base, *bench.base.parents[:4]):
        folder.chmod(folder.stat().st_mode | 0o011)

    def reload_as_nobody() -> None:
        os.setuid(65534)
        try:
            bench.nginx.reload_and_wait(within=5)
        except NginxError as error:
            os._exit(42 if error.code == "nginx.not_permitted" else 1)

    assert run_forked(reload_as_nobody) == 42
    assert bench.served() == 1
