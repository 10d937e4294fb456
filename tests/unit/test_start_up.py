"""What a command loads before it does anything: the greater part of the time that a one-shot command takes.

Measured in modules instead of milliseconds, so that the answer is the same on every machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_SHOW = """
import json, sys
sys.argv = json.loads(sys.argv[1])
before = set(sys.modules)
from counterseal.__main__ import main
try:
    main()
except SystemExit:
    pass
loaded = sorted(set(sys.modules) - before)
names = [one for name in loaded if name.startswith("counterseal.") for one in vars(sys.modules[name]).values()]
made = {id(one) for one in names if isinstance(one, type) and hasattr(one, "__dataclass_fields__")}
print(json.dumps({"modules": loaded, "dataclasses": len(made)}))
"""
HEAVY = {
    "asyncio",
    "bz2",
    "concurrent",
    "difflib",
    "http",
    "idna",
    "lzma",
    "msgspec",
    "multiprocessing",
    "rich",
    "shutil",
    "ssl",
    "starlette",
    "tarfile",
    "tempfile",
    "uvicorn",
    "uvloop",
    "xml",
}
MOST_MODULES = 255
"""Of all that issuing loads, the libraries' included: a third of a millisecond each."""
MOST_MODULES_OF_LOOKING = 130
MOST_DATACLASSES = 8
"""Of ours: half a millisecond each to define, five times a named tuple, which does where nothing is secret."""
ROOMS_OF_ISSUING = {"authority", "bundles", "cli", "compose", "config", "files", "keystore", "pki", "store"}
LEAVES = {"__main__", "duration", "errors", "fileset", "findings", "moments"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a CA with one certificate."""
    place = tmp_path_factory.mktemp("start_up")
    _loaded("init", "--no-passphrase", "--home", str(place / "home"))
    _loaded("server", "www.example", "--home", str(place / "home"), "--out", str(place))
    return place / "home"


def _loaded(*words: str, environment: dict[str, str] | None = None) -> set[str]:
    """Return the modules that this command line loads, in a process of its own."""
    return _show(*words, environment=environment)[0]


def _show(*words: str, environment: dict[str, str] | None = None) -> tuple[set[str], int]:
    """Return what this command line loads, in a process of its own: modules, and how many dataclasses of ours."""
    command = [sys.executable, "-c", _SHOW, json.dumps(["counterseal", *words])]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **(environment or {})})
    shown = json.loads(ran.stdout.splitlines()[-1])
    return set(shown["modules"]), shown["dataclasses"]


def test_version_loads_nothing() -> None:
    """Not even the library of the command line."""
    assert _loaded("--version") <= {"__future__", "gc", "counterseal", "counterseal.__main__"}


def test_help_loads_the_command_line_alone() -> None:
    """No command, no cryptography, no database; click lays its pages out with shutil."""
    loaded = _loaded("--help")
    assert {name for name in loaded if name.startswith("counterseal.")} <= {
        "counterseal.__main__",
        *(
            "counterseal.cli",
            "counterseal.cli.exit_codes",
            "counterseal.cli.group",
            "counterseal.cli.lazy",
            "counterseal.cli.run",
            "counterseal.errors",
        ),
    }
    unwanted = {"cryptography", "sqlite3", "dataclasses", *HEAVY} - {"shutil", "bz2", "lzma"}
    assert not unwanted & {name.partition(".")[0] for name in loaded}


@pytest.mark.parametrize("command", ["server", "client"])
def test_issuing_loads_the_rooms_of_issuing(home: Path, tmp_path: Path, command: str) -> None:
    """Neither nginx nor TLS, and none of the libraries that other commands need."""
    loaded, dataclasses = _show(command, "panel.example", "--home", str(home), "--out", str(tmp_path))
    assert len(loaded) <= MOST_MODULES
    assert dataclasses <= MOST_DATACLASSES
    assert not HEAVY & {name.partition(".")[0] for name in loaded}
    rooms = {name.split(".")[1] for name in loaded if name.startswith("counterseal.")}
    assert rooms <= ROOMS_OF_ISSUING | LEAVES | {"service"}
    assert {name for name in loaded if name.startswith("counterseal.service.")} <= {"counterseal.service.settings"}
    assert "cryptography.hazmat.asn1" not in loaded
    assert ("cryptography.hazmat.primitives.serialization.pkcs12" in loaded) == (command == "client")


@pytest.mark.parametrize("words", ["list", "show www.example", "log show", "token list"])
def test_looking_into_the_inventory_reads_no_certificate(home: Path, words: str) -> None:
    """Only the database: whoever lists certificates opens none, and no key."""
    loaded = _loaded(*words.split(), "--home", str(home))
    assert "counterseal.store.sqlite" in loaded
    assert len(loaded) <= MOST_MODULES_OF_LOOKING
    assert not {"cryptography", "random", *HEAVY} & {name.partition(".")[0] for name in loaded}


@pytest.mark.parametrize("words", ["re", "nginx s", "list --name w", "show w", "list --issuer s", "list --profile s"])
def test_completion_reads_no_certificate(home: Path, words: str) -> None:
    """Each press of TAB is a process, which loads no command for its name alone."""
    line = f"counterseal {words}"
    environment = {
        "COUNTERSEAL_HOME": str(home),
        "_COUNTERSEAL_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - 1),
    }
    loaded = _loaded(environment=environment)
    assert "click.shell_completion" in loaded
    assert ("counterseal.cli.common" in loaded) == words.startswith(("list", "show"))
    assert not {"cryptography", "random", *(HEAVY - {"shutil"})} & {name.partition(".")[0] for name in loaded}


@pytest.mark.parametrize(
    "words", ["inspect /", "lint /", "verify /", "handshake --help", "listen --help", "nginx lint /"]
)
def test_what_needs_no_ca_opens_no_database(words: str) -> None:
    """Neither the CA nor its store, whether there is one or not; a few of the store's words are common ones."""
    loaded = _loaded(*words.split(), "--home", "/nonexistent") if "-h" not in words else _loaded(*words.split())
    assert not {"sqlite3", "counterseal.store.sqlite", "counterseal.compose.home"} & loaded


@pytest.mark.parametrize("command", ["inspect", "lint", "verify"])
def test_a_file_is_looked_at_without_a_connection(home: Path, command: str) -> None:
    """Neither TLS nor http, which ``verify`` of a server or with ``--fetch-crl`` needs."""
    loaded = _loaded(command, str(home.parent / "www.example.fullchain.pem"), "--home", str(home))
    assert "counterseal.authority.inspected" in loaded
    assert not HEAVY & {name.partition(".")[0] for name in loaded}


def test_the_status_of_nginx_connects_to_nothing(home: Path) -> None:
    """What deploys, and what proves, stays away; whether there is an nginx here does not matter."""
    loaded = _loaded("nginx", "status", "--home", str(home))
    assert "counterseal.cli.nginx_status" in loaded
    assert "counterseal.authority.deployment" not in loaded
    assert not {name for name in loaded if name.startswith("counterseal.handshake")}


def test_a_small_batch_starts_no_process(home: Path, tmp_path: Path) -> None:
    """One chunk is done where it is; to fork for it would take longer than all of it."""
    rows = tmp_path / "rows.csv"
    rows.write_text("name\nfirst\nsecond\n")
    words = ("--home", str(home), "--no-p12", "--archive", str(tmp_path / "out.tar"))
    loaded = _loaded("client", "--batch", str(rows), *words)
    assert "counterseal.authority.batch.issue" in loaded
    assert "multiprocessing" not in loaded
