"""The target: read from ``nginx -V`` and the main configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterseal.nginx.target import HTTP_FILE, include_line, private_target, running_target, start_command
from counterseal.nginx.version import parse_version

DEBIAN = (
    "nginx version: nginx/1.22.1\nbuilt with OpenSSL 3.0.20 7 Apr 2026\nTLS SNI support enabled\n"
    "configure arguments: --with-http_ssl_module --with-cc-opt='-g -O2' --prefix=/usr/share/nginx {}"
)


@pytest.mark.parametrize(
    ("unit", "conf", "there", "command"),
    [
        ("nginx", "/etc/nginx.conf", "run/systemd/system etc/init.d/nginx", "systemctl start nginx"),
        ("nginx", "/etc/nginx.conf", "etc/init.d/nginx", "service nginx start"),
        ("nginx", "/etc/nginx.conf", "etc", "/usr/sbin/nginx -c /etc/nginx.conf"),
        ("nginx", "/srv/my conf", "run/systemd/system etc/init.d/nginx", "/usr/sbin/nginx -c '/srv/my conf'"),
        ("panel", "/srv/my conf", "run/systemd/system", "systemctl start panel"),
    ],
)
def test_what_starts_it_is_what_there_is(tmp_path: Path, unit: str, conf: str, there: str, command: str) -> None:
    """Systemd where it is the machine's, a script of that name, or nginx itself, with its own configuration."""
    for place in there.split():
        (tmp_path / place).mkdir(parents=True)
    usual = Path("/etc/nginx.conf")
    assert start_command(Path("/usr/sbin/nginx"), Path(conf), usual=usual, unit=unit, root=tmp_path) == command


def _target(tmp_path: Path, text: str, built: str = "") -> tuple[Path, Path | None]:
    conf = tmp_path / "nginx.conf"
    conf.write_text(text)
    version = parse_version(DEBIAN.format(f"--conf-path={conf} {built}"))
    target = running_target(
        Path("/usr/sbin/nginx"), version, conf=None, include_file=None, unit="nginx", included=(HTTP_FILE,)
    )
    assert target.conf == conf
    return target.pid_file, target.error_log


def test_directives_outside_every_block_win_over_the_built_in_paths(tmp_path: Path) -> None:
    """Comments, quotes and blocks are seen; a relative path starts from the prefix."""
    text = '# pid /no;\npid "run/my.pid";\nevents { }\nhttp { error_log /no.log; } error_log /var/log/e.log info;'
    assert _target(tmp_path, text, "--pid-path=/run/x.pid") == (
        Path("/usr/share/nginx/run/my.pid"),
        Path("/var/log/e.log"),
    )


def test_built_in_paths_hold_where_the_configuration_says_nothing(tmp_path: Path) -> None:
    """``--error-log-path=stderr`` is no file, so there is no log to watch."""
    assert _target(tmp_path, "events {}", "--pid-path=/run/x.pid --error-log-path=stderr") == (
        Path("/run/x.pid"),
        None,
    )


def test_a_map_entry_named_pid_is_no_directive(tmp_path: Path) -> None:
    """Inside a block the same word means something else."""
    found, _ = _target(tmp_path, "http { map $a $b { pid /no; } }", "--pid-path=/run/x.pid")
    assert found == Path("/run/x.pid")


def test_the_include_line_is_a_pattern_and_quoted_where_needed() -> None:
    """A pattern that matches nothing does not keep the user's nginx from starting."""
    assert include_line(Path("/srv/cs")) == "include /srv/cs/current/http.con[f];"
    assert include_line(Path("/srv/my cs")) == 'include "/srv/my cs/current/http.con[f]";'


def test_a_private_nginx_lives_below_the_base() -> None:
    """Nothing of it is outside, so any user can run it."""
    target = private_target(Path("/b"), binary=Path("/usr/sbin/nginx"))
    assert (target.owned, target.conf, target.pid_file) == (
        True,
        Path("/b/current/nginx.conf"),
        Path("/b/run/nginx.pid"),
    )
