"""The target: read from ``nginx -V`` and the main configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterseal.errors import NginxError
from counterseal.nginx.target import find_main_directives, include_line, private_target, running_target

DEBIAN = "nginx version: nginx/1.22.1\nconfigure arguments: --with-cc-opt='-g -O2' --prefix=/usr/share/nginx {}"


def _target(tmp_path: Path, text: str, built: str = "") -> tuple[Path, Path | None]:
    conf = tmp_path / "nginx.conf"
    conf.write_text(text)
    target = running_target(Path("/usr/sbin/nginx"), DEBIAN.format(f"--conf-path={conf} {built}"))
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


def test_only_the_output_of_nginx_is_taken_for_it(tmp_path: Path) -> None:
    """Something else in its place is refused with what it was."""
    with pytest.raises(NginxError, match="not the output of nginx -V") as caught:
        running_target(tmp_path / "nginx", "Apache/2.4")
    assert caught.value.code == "nginx.version_unreadable"


def test_a_map_entry_named_pid_is_no_directive() -> None:
    """Inside a block the same word means something else."""
    assert find_main_directives("http { map $a $b { pid /no; } }", ("pid",)) == {}


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
