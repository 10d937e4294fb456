"""What a command loads before it does anything: the greater part of the time that a one-shot command takes.

Measured in modules instead of milliseconds, so that the answer is the same on every machine.
"""

from __future__ import annotations

import json
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
MOST_MODULES = 250
"""Of all that issuing loads, the libraries' included: a third of a millisecond each."""
MOST_DATACLASSES = 14
"""Of ours: half a millisecond each to define, five times a named tuple, which does where nothing is secret."""
ROOMS_OF_ISSUING = {"authority", "bundles", "cli", "compose", "config", "files", "keystore", "pki", "store"}
LEAVES = {"__main__", "duration", "errors", "fileset", "findings", "moments"}


def _loaded(*words: str) -> set[str]:
    """Return the modules that this command line loads, in a process of its own."""
    return _show(*words)[0]


def _show(*words: str) -> tuple[set[str], int]:
    """Return what this command line loads, in a process of its own: modules, and how many dataclasses of ours."""
    command = [sys.executable, "-c", _SHOW, json.dumps(["counterseal", *words])]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
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
            "counterseal.cli.run",
            "counterseal.errors",
        ),
    }
    unwanted = {"cryptography", "sqlite3", "dataclasses", *HEAVY} - {"shutil", "bz2", "lzma"}
    assert not unwanted & {name.partition(".")[0] for name in loaded}


@pytest.mark.parametrize("command", ["server", "client"])
def test_issuing_loads_the_rooms_of_issuing(tmp_path: Path, command: str) -> None:
    """Neither nginx nor TLS, and none of the libraries that other commands need."""
    home = str(tmp_path / "home")
    _loaded("init", "--no-passphrase", "--home", home)
    loaded, dataclasses = _show(command, "panel.example", "--home", home, "--out", str(tmp_path))
    assert len(loaded) <= MOST_MODULES
    assert dataclasses <= MOST_DATACLASSES
    assert not HEAVY & {name.partition(".")[0] for name in loaded}
    rooms = {name.split(".")[1] for name in loaded if name.startswith("counterseal.")}
    assert rooms <= ROOMS_OF_ISSUING | LEAVES | {"service"}
    assert {name for name in loaded if name.startswith("counterseal.service.")} <= {"counterseal.service.settings"}
    assert "cryptography.hazmat.asn1" not in loaded
    assert ("cryptography.hazmat.primitives.serialization.pkcs12" in loaded) == (command == "client")


@pytest.mark.parametrize(
    "words", ["inspect /", "lint /", "verify /", "handshake --help", "listen --help", "nginx lint /"]
)
def test_what_needs_no_ca_opens_no_database(words: str) -> None:
    """Neither the CA nor its store, whether there is one or not; a few of the store's words are common ones."""
    loaded = _loaded(*words.split(), "--home", "/nonexistent") if "-h" not in words else _loaded(*words.split())
    assert not {"sqlite3", "counterseal.store.sqlite", "counterseal.compose.home"} & loaded


def test_a_small_batch_starts_no_process(tmp_path: Path) -> None:
    """One chunk is done where it is; to fork for it would take longer than all of it."""
    home, rows = str(tmp_path / "home"), tmp_path / "rows.csv"
    rows.write_text("name\nfirst\nsecond\n")
    _loaded("init", "--no-passphrase", "--home", home)
    words = ("--home", home, "--no-p12", "--archive", str(tmp_path / "out.tar"))
    loaded = _loaded("client", "--batch", str(rows), *words)
    assert "counterseal.authority.batch.issue" in loaded
    assert "multiprocessing" not in loaded
