"""The pure rooms touch nothing outside: no file, no socket, no clock, no randomness, no other program."""

from __future__ import annotations

import ast
import tomllib

import pytest

from architecture.source_tree import ROOT, Module, dotted, read_modules

ACME = (
    "encoding", "external", "identifiers", "jwk", "jws", "nonces", "objects", "payloads", "problems", "renewal",
    "states", "validation/reach",
)  # fmt: skip
API = ("escalation", "limits", "openapi", "problems", "reading", "rules")
HANDSHAKE = ("wire", "explain", "picture")
PURE = (
    "pki/", "bundles/", "nginx/",
    *(f"handshake/{name}/" for name in HANDSHAKE),
    *(f"protocols/acme/{name}.py" for name in ACME),
    *(f"protocols/api/{name}.py" for name in API),
)  # fmt: skip

# The files of these rooms that stand at the edge, with the reason. The coverage goal leaves out the same ones.
EDGES: dict[str, str] = {
    "nginx/activate.py": "carries out the steps of a deploy",
    "nginx/binary.py": "runs nginx -V and -t",
    "nginx/deploy.py": "writes a generation and puts it in force",
    "nginx/errorlog.py": "reads nginx's error log",
    "nginx/generations.py": "writes directories and switches the link",
    "nginx/inclusion.py": "makes the one include file",
    "nginx/journal.py": "writes the undo",
    "nginx/lint/gather.py": "reads the certificates, keys and CRLs that a configuration names",
    "nginx/lock.py": "locks a file",
    "nginx/process.py": "starts, signals and stops nginx",
    "nginx/proctable.py": "reads /proc",
    "nginx/reading.py": "reads a configuration with its includes",
    "nginx/retention.py": "removes old generations",
    "nginx/status.py": "looks at nginx and the generations",
    "nginx/taken.py": "looks at when files and links changed",
    "nginx/target.py": "reads the main configuration to find the pid file",
    "nginx/undo.py": "carries out the undo",
    "nginx/waiting.py": "reads the clock and sleeps",
}

FORBIDDEN_MODULES = {
    "asyncio", "http", "logging", "os", "random", "secrets", "shutil", "signal", "socket", "socketserver", "sqlite3",
    "subprocess", "tempfile", "threading", "time", "urllib.request", "uuid",
}  # fmt: skip
FORBIDDEN_CALLS = {
    "open", "print", "input",
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    "x509.random_serial_number", "random_serial_number",
}  # fmt: skip
COMPUTED_UUIDS = {"UUID", "uuid3", "uuid5"}  # from what they are given; the others draw randomness or ask the clock
FORBIDDEN_METHODS = {
    "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink", "iterdir", "rglob",
    "generate_private_key",
}  # fmt: skip


def find_impurities(module: Module) -> list[str]:
    """List the imports and calls with which a module would reach outside."""
    found = []
    for node in ast.walk(module.tree):
        match node:
            case ast.Import(names=names):
                bad = [name.name for name in names if _is_forbidden(name.name)]
            case ast.ImportFrom(module="uuid", names=names):
                bad = [f"uuid.{name.name}" for name in names if name.name not in COMPUTED_UUIDS]
            case ast.ImportFrom(module=str(name)):
                bad = [name] if _is_forbidden(name) else []
            case ast.Call(func=function):
                called = dotted(function)
                bad = [called] if _is_forbidden_call(called) else []
            case _:
                bad = []
        found += [f"{module.path}:{node.lineno} {what}" for what in bad]  # type: ignore[attr-defined] # statements and calls have one
    return found


def _is_forbidden(name: str) -> bool:
    return name in FORBIDDEN_MODULES or name.partition(".")[0] in FORBIDDEN_MODULES - {"urllib"}


def _is_forbidden_call(name: str) -> bool:
    makes_key = name.endswith("PrivateKey.generate")
    return name in FORBIDDEN_CALLS or name.rpartition(".")[2] in FORBIDDEN_METHODS or makes_key


def test_pure_rooms_touch_nothing_outside() -> None:
    """Time, serial numbers, keys and bytes are handed in."""
    pure = [module for module in read_modules() if module.path.startswith(PURE) and module.path not in EDGES]
    assert [found for module in pure for found in find_impurities(module)] == []


@pytest.mark.parametrize(
    "text",
    [
        "import os\n",
        "import os.path\n",
        "from subprocess import run\n",
        "from urllib.request import urlopen\n",
        "import uuid\n",
        "from uuid import UUID, uuid4\n",
        "moment = datetime.now(UTC)\n",
        "moment = datetime.datetime.now(UTC)\n",
        "open('x')\n",
        "Path('x').read_text()\n",
        "path.write_bytes(b'')\n",
        "rsa.generate_private_key(65537, 2048)\n",
        "x509.random_serial_number()\n",
        "ed25519.Ed25519PrivateKey.generate()\n",
    ],
)
def test_an_impurity_is_found(text: str) -> None:
    """Each way to reach outside is seen."""
    assert len(find_impurities(Module("pki/x.py", text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from urllib.parse import quote\n",
        "x.generate(b'')\n",
        "from datetime import datetime\n",
        "from uuid import UUID, uuid5\n",
    ],
)
def test_pure_code_passes(text: str) -> None:
    """What only computes is left alone."""
    assert find_impurities(Module("pki/x.py", text)) == []


def test_edges_exist_and_are_those_left_out_of_the_coverage_goal() -> None:
    """One list of files at the edge: a new one cannot slip out of the goal, an old one is taken off both."""
    report = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]["report"]
    assert sorted(report["omit"]) == sorted(f"src/counterseal/{path}" for path in EDGES)
    assert {path for path in EDGES if path not in {module.path for module in read_modules()}} == set()
