"""``nginx lint`` as people and pipelines use it: exit codes, formats, patches, and mistakes in typing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
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


SUGGESTED = """server {
    listen 443 ssl;
    listen 80;
    ssl_certificate a.pem;
    ssl_client_certificate ca.pem;
    ssl_verify_client on;
    ssl_session_tickets off;
    location / { proxy_pass https://app.internal; }
}
"""


@pytest.mark.skipif(not (shutil.which("patch") and shutil.which("git")), reason="patch or git is not installed")
@pytest.mark.parametrize("tool", ["patch -p1", "git apply"])
def test_suggestions_are_comments_of_the_patch(tool: str, tmp_path: Path) -> None:
    """Both tools pass them over; without the ``# `` they are patches themselves."""
    printed = lint(tmp_path, "--fix", "--directory", str(tmp_path), text=SUGGESTED).stdout
    relative = printed.replace(str(tmp_path).lstrip("/") + "/", "")
    assert "# suggested: " in relative
    assert "#   needs a decision: whether whoever comes by plain HTTP may be sent to TLS" in relative
    assert "<upstream-ca.pem>" in relative
    assert piped(tool, relative, tmp_path) == SUGGESTED.replace(
        "{ proxy_pass", "{ proxy_ssl_server_name on; proxy_pass"
    )
    (tmp_path / "site.conf").write_text(SUGGESTED)
    suggested = next(block for block in relative.split("#\n") if "mtls-plaintext-sibling-listen" in block)
    mended = piped(tool, re.sub(r"(?m)^# ?", "", suggested) + "\n", tmp_path)
    assert "server { listen 80; return 308 https://$host$request_uri; }\nserver {" in mended


def piped(tool: str, patch: str, directory: Path) -> str:
    """Hand a patch to a tool; returns what the file then holds."""
    subprocess.run(tool.split(), input=patch, text=True, cwd=directory, check=True, timeout=30, capture_output=True)
    return (directory / "site.conf").read_text()


def test_only_what_was_accepted_is_written_and_never_a_placeholder(tmp_path: Path) -> None:
    """The rest is counted, with the reason why it is left."""
    ran = lint(tmp_path, "--fix", "--write", text=SUGGESTED)
    conf = tmp_path / "site.conf"
    assert "listen 80;" in (kept := conf.read_text())
    assert "proxy_ssl_server_name on" in kept
    assert "2 left: 1 for a decision, 1 for a placeholder to be filled in" in ran.stderr
    accepted = lint(tmp_path, "--fix", "--write", "--accept", "mtls-plaintext-sibling-listen", text=SUGGESTED)
    assert accepted.code == 0
    assert "return 308" in conf.read_text()
    refused = lint(tmp_path, "--fix", "--write", "--accept", "up-verify-off", text=SUGGESTED)
    assert refused.code != 0
    assert "cannot write a placeholder: <upstream-ca.pem> of up-verify-off" in refused.stderr
    assert conf.read_text() == SUGGESTED


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--explain", "mtls-ticket"), "did you mean 'mtls-tickets-enabled'?"),
        (("--nginx-version", "newest"), "not a version of nginx: 'newest'"),
        (("--write",), "--write goes with --fix"),
        (("--accept", "up-sni-off"), "--accept goes with --fix"),
        (("--fix", "--accept", "up-sni-of"), "did you mean 'up-sni-off'?"),
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
    assert (missing.code, "no such file" in missing.stderr, "hint: name a main" in missing.stderr) == (2, True, True)


def test_every_rule_can_be_listed_and_explained(tmp_path: Path) -> None:
    """Without reading anything."""
    listed = counterseal(tmp_path / "home", "nginx", "lint", "--list-rules", "--json")
    codes = [rule["code"] for rule in json.loads(listed.stdout)["rules"]]
    assert len(codes) > 70
    explained = counterseal(tmp_path / "home", "nginx", "lint", "--explain", "mtls-tickets-enabled")
    assert explained.code == 0
    assert "Instead:" in explained.stdout
