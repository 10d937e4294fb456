"""The target: read from ``nginx -V`` and the main configuration."""

from __future__ import annotations

from pathlib import Path

from counterseal.nginx.target import HTTP_FILE, include_line, private_target, running_target
from counterseal.nginx.version import parse_version

DEBIAN = (
    "nginx version: nginx/1.22.1\nbuilt with OpenSSL 3.0.20 7 Apr 2026\nTLS SNI support enabled\n"
    "configure arguments: --with-http_ssl_module --with-cc-opt='-g -O2' --prefix=/usr/share/nginx {}"
)


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
