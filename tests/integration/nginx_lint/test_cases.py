"""The cases of the linter are configurations that a real nginx takes without a word, unless a case says otherwise."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from counterseal.compose.linting import lint_configuration
from nginx_lint_lab import RIGHT, VERSIONS, as_suggested, list_cases, mended, write_lab
from nginx_process import BINARIES, WITHIN, nginx_binary, nginx_version

if TYPE_CHECKING:
    from counterseal.nginx.version import NginxVersion

__all__ = ["nginx_binary", "nginx_version"]

pytestmark = pytest.mark.nginx

STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
"""Debian builds stream as a module of its own, in libnginx-mod-stream."""
DEBIAN = Path("/etc/nginx")
LEAST_SUGGESTED = 60
CONFLICT = "conflicting server name"


def complain(binary: Path, directory: Path, text: str) -> tuple[bool, str]:
    """Return whether ``nginx -t`` takes a configuration, and what it says against it."""
    conf = directory / "nginx.conf"
    conf.write_text(text)
    module = ["-g", f"load_module {STREAM};"] if binary == BINARIES["debian"] else []
    command = [str(binary), "-t", "-c", str(conf), "-p", f"{directory}/", "-e", "stderr", *module]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN, check=False)
    said = [line for line in ran.stderr.splitlines() if "[warn]" in line or "[emerg]" in line]
    return ran.returncode == 0, "\n".join(said)


def test_nginx_takes_the_cases(nginx_binary: Path, nginx_version: NginxVersion, tmp_path: Path) -> None:
    """``nginx -t`` passes and warns of nothing but a name that is taken twice; refused cases are refused."""
    write_lab(tmp_path)
    wrong = {}
    for case in list_cases():
        taken, said = complain(nginx_binary, tmp_path, case.text)
        if taken == case.is_refused(nginx_version) or (taken and said and CONFLICT not in said):
            wrong[str(case)] = said
    assert wrong == {}


def test_nginx_takes_what_was_mended(nginx_binary: Path, nginx_version: NginxVersion, tmp_path: Path) -> None:
    """No edit of a rule turns a configuration into one that ``nginx -t`` refuses or warns of."""
    write_lab(tmp_path)
    conf = tmp_path / "nginx.conf"
    version = ".".join(map(str, nginx_version.number))
    cases = [case for case in list_cases() if case.versions == VERSIONS and not case.is_refused(nginx_version)]
    changed = {str(case): text for case in cases if (text := mended(case, conf, version)) != case.text}
    assert changed
    taken = {name: complain(nginx_binary, tmp_path, text) for name, text in changed.items()}
    assert taken == dict.fromkeys(changed, (True, ""))


def test_nginx_takes_what_was_suggested(nginx_binary: Path, nginx_version: NginxVersion, tmp_path: Path) -> None:
    """With its placeholders filled in, for each rule by itself; also where nginx refused what was there before."""
    write_lab(tmp_path)
    conf = tmp_path / "nginx.conf"
    version = ".".join(map(str, nginx_version.number))
    cases = [case for case in list_cases() if case.versions == VERSIONS]
    texts = {f"{case} {code}": text for case in cases for code, text in as_suggested(case, conf, version).items()}
    taken = {name: complain(nginx_binary, tmp_path, text) for name, text in texts.items()}
    wrong = {name: said for name, (is_taken, said) in taken.items() if not is_taken or (said and CONFLICT not in said)}
    assert wrong == {}
    assert len(texts) > LEAST_SUGGESTED


def test_nginx_takes_the_right_ones(nginx_binary: Path, tmp_path: Path) -> None:
    """What no rule fires on is a configuration; Lua is in no nginx at hand."""
    write_lab(tmp_path)
    paths = [path for path in RIGHT.glob("*.conf") if path.stem != "lua"]
    assert {path.stem: complain(nginx_binary, tmp_path, path.read_text()) for path in paths} == {
        path.stem: (True, "") for path in paths
    }


@pytest.mark.skipif(not DEBIAN.exists(), reason="Debian's nginx is not installed")
def test_no_rule_fires_on_what_debian_ships() -> None:
    """The main configuration with what it includes, and each site file and snippet by itself."""
    paths = [DEBIAN, *(path for name in ("sites-available", "snippets") for path in (DEBIAN / name).iterdir())]
    for path in paths:
        linting = lint_configuration(path, text=None, version=None, directory=DEBIAN, with_files=False)
        assert [finding.message for finding in linting.result.findings] == [], path
