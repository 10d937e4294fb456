"""What nginx's own dump of its configuration says about us."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterseal.errors import NginxError
from counterseal.nginx.binary import ConfigTest
from counterseal.nginx.errorlog import parse_lines
from counterseal.nginx.inclusion import Inclusion, includes, require_read

HTTP = Path("/b/current/http.conf")


def _dumped(dump: str) -> ConfigTest:
    return ConfigTest(Path("/etc/nginx/nginx.conf"), 0, (), (), "", dump)


@pytest.mark.parametrize(
    ("line", "included"),
    [
        ("include /b/current/http.conf;", True),
        ("include /b/current/http.con[f];", True),
        ('http { include "/b/current/*.conf"; }', True),
        ("include '/b/*/http.conf' ;", True),
        ("include ../../b/current/http.conf;", True),
        ("# include /b/current/http.conf;", False),
        ("include /b/*.conf;", False),
        ("include /c/current/http.conf;", False),
    ],
)
def test_an_include_is_seen_outright_and_as_a_pattern(line: str, *, included: bool) -> None:
    """A star does not reach across directories, and a comment includes nothing."""
    assert includes(_dumped(f"worker_processes 1;\n  {line}\n"), HTTP) is included


def test_what_nginx_read_is_told_by_its_dump() -> None:
    """Only the headings of the dump count."""
    require_read(_dumped(f"# configuration file {HTTP}:\nserver {{ }}\n"), HTTP)
    with pytest.raises(NginxError, match=r"does not read /b/current/http\.conf") as caught:
        require_read(_dumped("include /b/current/http.conf;\n"), HTTP)
    assert (caught.value.hint or "").endswith("include /b/current/http.con[f];")


def test_a_conflict_about_a_name_of_ours_is_never_tolerated(tmp_path: Path) -> None:
    """Others that were there before us are the user's affair."""
    known = [
        line.text
        for line in parse_lines("".join(f'nginx: [warn] conflicting server name "{name}" on x\n' for name in "ab"))
    ]
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites/one.conf").write_text("server {\n  server_name c a;\n}\n")
    assert Inclusion(known_conflicts=frozenset(known)).tolerated(tmp_path) == {known[1]}
    assert Inclusion().tolerated(tmp_path / "nowhere") == frozenset()
