"""The cases of the linter are configurations that a real nginx takes without a word, unless a case says otherwise."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nginx_lint_lab import list_cases, write_lab
from nginx_process import BINARIES, WITHIN, nginx_binary, nginx_version

if TYPE_CHECKING:
    from counterseal.nginx.version import NginxVersion

__all__ = ["nginx_binary", "nginx_version"]

pytestmark = pytest.mark.nginx

# What nginx says of its own accord about a case that it takes: the module that is not built in, or a conflict.
TOLERATED = ("conflicting server name",)


STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
"""Debian builds stream as a module of its own, in libnginx-mod-stream."""


def test_nginx_takes_the_cases(nginx_binary: Path, nginx_version: NginxVersion, tmp_path: Path) -> None:
    """``nginx -t`` passes and warns of nothing but a name that is taken twice; refused cases are refused."""
    write_lab(tmp_path)
    module = ["-g", f"load_module {STREAM};"] if nginx_binary == BINARIES["debian"] else []
    told = {}
    for case in list_cases():
        conf = tmp_path / "nginx.conf"
        conf.write_text(case.text)
        command = [str(nginx_binary), "-t", "-c", str(conf), "-p", f"{tmp_path}/", "-e", "stderr", *module]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN, check=False)
        serious = [line for line in ran.stderr.splitlines() if "[warn]" in line or "[emerg]" in line]
        unexpected = [line for line in serious if not any(word in line for word in TOLERATED)]
        is_refused = case.is_refused(nginx_version)
        if is_refused != (ran.returncode != 0) or (unexpected and not is_refused):
            told[str(case)] = ran.stderr
    assert told == {}
