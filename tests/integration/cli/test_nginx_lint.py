"""``nginx lint`` as people and pipelines use it: exit codes, formats, patches, and mistakes in typing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from command import counterseal

if TYPE_CHECKING:
    from pathlib import Path

    from command import Ran

IDLE = """server {
    listen 443 ssl;
    ssl_client_certificate ca.pem;
}
"""
MENDED = IDLE.replace("    ssl_client", "    ssl_verify_client on;\n    ssl_client")
SMALL = ("--no-files", "--nginx-version", "1.31.5")


def lint(tmp_path: Path, *words: str, text: str = IDLE) -> Ran:
    """Lint a file with that text."""
    conf = tmp_path / "site.conf"
    conf.write_text(text)
    return counterseal(tmp_path / "home", "nginx", "lint", str(conf), *SMALL, *words)


def test_findings_are_told_by_the_exit_code(tmp_path: Path) -> None:
    """3 from --fail-on upwards, 0 below it and where nothing is wrong."""
    found = lint(tmp_path)
    assert (found.code, found.stdout.count("[mtls-verify-missing]")) == (3, 1)
    assert "is a part of a configuration" in found.stderr
    assert lint(tmp_path, "--fail-on", "critical").code == 0
    assert lint(tmp_path, text="server { listen 80; }").stdout == "nothing found\n"


def test_json_is_documented_and_alone_on_stdout(tmp_path: Path) -> None:
    """By --json as everywhere, and by --format."""
    for words in (("--json",), ("--format", "json")):
        document = json.loads(lint(tmp_path, *words).stdout)
        (finding,) = document["findings"]
        assert (finding["code"], finding["line"], finding["column"]) == ("mtls-verify-missing", 3, 5)
        assert document["nginx_version"] == "1.31.5"
    assert json.loads(lint(tmp_path, "--format", "sarif").stdout)["version"] == "2.1.0"


def test_a_patch_is_shown_and_nothing_written_before_write_is_said(tmp_path: Path) -> None:
    """The file keeps its mode, and a link stays one."""
    shown = lint(tmp_path, "--fix")
    assert "+    ssl_verify_client on;" in shown.stdout
    conf = tmp_path / "site.conf"
    assert conf.read_text() == IDLE
    conf.chmod(0o640)
    link = tmp_path / "enabled"
    link.symlink_to(conf)
    assert counterseal(tmp_path / "home", "nginx", "lint", str(link), *SMALL, "--fix", "--write").code == 0
    assert (conf.read_text(), conf.stat().st_mode & 0o777, link.is_symlink()) == (MENDED, 0o640, True)
    assert lint(tmp_path, "--fix", text="server { listen 80; }").stdout == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--explain", "mtls-ticket"), "did you mean 'mtls-tickets-enabled'?"),
        (("--nginx-version", "newest"), "not a version of nginx: 'newest'"),
        (("--write",), "--write goes with --fix"),
    ],
)
def test_a_mistake_in_the_words_is_named(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    """With exit code 2."""
    told = lint(tmp_path, *words)
    assert told.code == 2
    assert said in told.stderr


def test_a_configuration_that_nginx_could_not_read_is_refused_with_its_place(tmp_path: Path) -> None:
    """Syntax, a missing include, and a file that is not there."""
    assert "site.conf:1:1: block" in lint(tmp_path, text="server { listen 80;").stderr
    assert "included file does not exist: gone" in lint(tmp_path, text="server { include gone; }").stderr
    missing = counterseal(tmp_path / "home", "nginx", "lint", str(tmp_path / "none.conf"), *SMALL)
    assert (missing.code, "no such file" in missing.stderr) == (1, True)


def test_every_rule_can_be_listed_and_explained(tmp_path: Path) -> None:
    """Without reading anything."""
    listed = counterseal(tmp_path / "home", "nginx", "lint", "--list-rules", "--json")
    codes = [rule["code"] for rule in json.loads(listed.stdout)["rules"]]
    assert len(codes) > 70
    explained = counterseal(tmp_path / "home", "nginx", "lint", "--explain", "mtls-tickets-enabled")
    assert explained.code == 0
    assert "Instead:" in explained.stdout
