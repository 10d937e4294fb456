"""The cases of the linter are configurations that a real nginx takes without a word, unless a case says otherwise."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import InputError
from counterseal.nginx.parse import parse
from counterseal.nginx.tree import render_tree
from lint_debian import KNOWN, PACKAGES, find_faults, is_configuration
from nginx_lint_lab import (
    MODULES,
    RIGHT,
    STREAM,
    VERSIONS,
    as_suggested,
    list_cases,
    load_modules,
    mended,
    needed_modules,
    write_lab,
)
from nginx_process import BINARIES, WITHIN, nginx_binary, nginx_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from counterseal.nginx.version import NginxVersion
    from nginx_lint_lab import Case

__all__ = ["nginx_binary", "nginx_version"]

pytestmark = pytest.mark.nginx

DEBIAN = Path("/etc/nginx")
MODULAR = {"lua", "modules"}
"""The right configurations that need modules, which only Debian's nginx has."""
LEAST_SUGGESTED = 60
LUA_MODULE = "ngx_http_lua_module.so"
LUA_AROUND = """# needs ndk_http_module ngx_http_lua_module
pid nginx.pid;
events {}
http {
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
    server { listen unix:sock; location / { content_by_lua_block { x CODE } add_header A b; } }
}
"""
LUA = [
    "{ a = { 1 } }",
    "\"}\" .. '}'",
    "\"\\\"}\" .. '\\'}'",
    "'\"}' .. \"'}\"",
    '"\\\\" }',
    '"}\n"',
    '"a\\\n}b"',
    '"a\\\n"',
    '"',
    "-- }\n",
    "--}\n{\n}",
    "--[[ }\n} ]]",
    "--[==[ ]] } ]==]",
    "--[== }\n",
    "--- [[ }\n",
    "[[ } ]=] ]]",
    "[=[ ]] } ]=]",
    "a[ [[}]] ]",
    "a[b[1]] {",
    "[[ ",
    "[=[ ]]",
    "--[[ \n",
    "--[=[ ]]\n",
    '[[ " ]] "}"',
    "\r\n{\r\n}--}\r\n",
    "}",
    "{",
    "# }",
]
"""Code at which a lexer could go wrong; ``x`` before it, since the module refuses a block with nothing in it."""
CONFLICT = "conflicting server name"
COMMENT = re.compile(r"^[ \t]*#.*\n|[ \t]*# finds .*$", re.MULTILINE)
"""A line of comment, or the mark behind a line."""


def complain(binary: Path, directory: Path, text: str) -> tuple[bool, str]:
    """Return whether ``nginx -t`` takes a configuration, and what it says against it."""
    conf = directory / "nginx.conf"
    conf.write_text(text)
    modules = [STREAM, *needed_modules(text)] if is_debian(binary) else []
    loading = load_modules(*modules)
    command = [str(binary), "-t", "-c", str(conf), "-p", f"{directory}/", "-e", "stderr", "-g", loading]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN, check=False)
    said = [line for line in ran.stderr.splitlines() if "[warn]" in line or "[emerg]" in line]
    return ran.returncode == 0, "\n".join(said)


def complain_once(binary: Path, directory: Path, texts: Mapping[str, str]) -> dict[str, tuple[bool, str]]:
    """Return the same for each name, with texts that differ in their comments alone run once."""
    said: dict[str, tuple[bool, str]] = {}
    for text in texts.values():
        if _without_comments(text) not in said:
            said[_without_comments(text)] = complain(binary, directory, text)
    return {name: said[_without_comments(text)] for name, text in texts.items()}


def _without_comments(text: str) -> str:
    return " ".join(needed_modules(text)) + COMMENT.sub("", text)


def is_debian(binary: Path) -> bool:
    """Whether this nginx has modules to load."""
    return binary == BINARIES["debian"]


def cases_for(binary: Path) -> list[Case]:
    """Return the cases that this nginx has the modules for."""
    return [case for case in list_cases() if is_debian(binary) or not needed_modules(case.text)]


def test_nginx_takes_the_cases(nginx_binary: Path, nginx_version: NginxVersion, tmp_path: Path) -> None:
    """``nginx -t`` passes and warns of nothing but a name that is taken twice; refused cases are refused."""
    write_lab(tmp_path)
    cases = {str(case): case for case in cases_for(nginx_binary)}
    said = complain_once(nginx_binary, tmp_path, {name: case.text for name, case in cases.items()})
    wrong = {}
    for name, (taken, warned) in said.items():
        if taken == cases[name].is_refused(nginx_version) or (taken and warned and CONFLICT not in warned):
            wrong[name] = warned
    assert wrong == {}


def test_nginx_takes_what_was_mended_or_suggested(
    nginx_binary: Path, nginx_version: NginxVersion, tmp_path: Path
) -> None:
    """No edit of a rule turns a configuration into one that ``nginx -t`` refuses or warns of.

    A suggestion is taken with its placeholders filled in, for each rule by itself; also where nginx refused what was
    there before.
    """
    write_lab(tmp_path)
    conf = tmp_path / "nginx.conf"
    version = ".".join(map(str, nginx_version.number))
    changed: dict[str, str] = {}
    suggested: dict[str, str] = {}
    for case in cases_for(nginx_binary):
        if case.versions == VERSIONS:  # both look at what was found in the same case, which is known then
            text = mended(case, conf, version)
            changed |= {str(case): text} if text != case.text and not case.is_refused(nginx_version) else {}
            suggested |= {f"{case} {code}": text for code, text in as_suggested(case, conf, version).items()}
    assert changed
    assert len(suggested) > LEAST_SUGGESTED
    taken = complain_once(nginx_binary, tmp_path, changed | suggested)
    assert {name: taken[name] for name in changed} == dict.fromkeys(changed, (True, ""))
    wrong = {name for name in suggested if not taken[name][0] or (taken[name][1] and CONFLICT not in taken[name][1])}
    assert {name: taken[name] for name in wrong} == {}


def test_nginx_takes_the_right_ones(nginx_binary: Path, tmp_path: Path) -> None:
    """What no rule fires on is a configuration."""
    write_lab(tmp_path)
    texts = {path.stem: path.read_text() for path in RIGHT.glob("*.conf")}
    taken = {
        name: complain(nginx_binary, tmp_path, text)
        for name, text in texts.items()
        if is_debian(nginx_binary) or not needed_modules(text)
    }
    assert taken == dict.fromkeys(taken, (True, ""))
    assert taken.keys() >= texts.keys() - MODULAR


@pytest.mark.skipif(not (MODULES / LUA_MODULE).exists(), reason="Debian's nginx has no Lua")
@pytest.mark.parametrize("code", LUA)
def test_a_lua_block_ends_where_the_module_ends_it(code: str, tmp_path: Path) -> None:
    """What stands behind it is nginx's again: either both find the end of this configuration, or neither does."""
    text = LUA_AROUND.replace("CODE", code)
    taken, said = complain(Path(BINARIES["debian"] or ""), tmp_path, text)
    try:
        tree = parse(text)
    except InputError:
        assert not taken, code
    else:
        assert taken, said
        assert render_tree(tree) == text


@pytest.mark.skipif(not DEBIAN.exists(), reason="Debian's nginx is not installed")
def test_no_rule_fires_on_what_debian_ships(tmp_path: Path) -> None:
    """Every configuration of the packages of nginx that are here; the script has those of all others, too."""
    installed = _dpkg("--show", "--showformat=${Package}\n", *PACKAGES)
    paths = [path.lstrip("/") for path in _dpkg("--listfiles", *installed) if is_configuration(path.lstrip("/"))]
    there = [path for path in paths if Path("/", path).is_file()]
    assert len(there) > len(installed)
    for path in there:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(Path("/", path).read_bytes())
    found = {fault for path in there for fault in find_faults(tmp_path / path, tmp_path)}
    assert {fault for fault in found if fault[:2] not in KNOWN} == set()


def _dpkg(*words: str) -> list[str]:
    """Return the lines that ``dpkg-query`` prints; it minds packages that are not installed."""
    return subprocess.run(["dpkg-query", *words], capture_output=True, text=True, check=False).stdout.splitlines()
