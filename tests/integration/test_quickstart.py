"""The main job from nothing to a proved lock-out, as a newcomer runs it, with a real nginx."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from architecture.source_tree import ROOT
from command import counterseal

MUTUAL = {
    "no-certificate": "400 Bad Request, verify=NONE",
    "good": "200 OK, verify=SUCCESS",
    "expired": "400 Bad Request, verify=FAILED:certificate has expired",
    "foreign": "400 Bad Request, verify=FAILED:unable to get certificate CRL",
    "server-purpose": "400 Bad Request, verify=FAILED:unsuitable certificate purpose",
    "revoked": "400 Bad Request, verify=FAILED:certificate revoked",
}


@pytest.mark.nginx
def test_quickstart_proves_mutual_tls_and_a_lock_out(tmp_path: Path) -> None:
    """One-way for everybody, then each row of the table; alice before and after; and nginx is stopped again."""
    place = tmp_path / "demo"
    command = [sys.executable, "-m", "counterseal", "quickstart", "--dir", str(place), "--stop", "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert document["passed"] is True
    one_way, mutual, after = ({row["kind"]: row["observed"] for row in proof["rows"]} for proof in document["proofs"])
    assert one_way["no-certificate"] == "200 OK, verify=NONE"
    assert mutual == {**mutual, **MUTUAL}
    assert after == {
        **after,
        **MUTUAL,
        "resumed-after-revocation": "400 Bad Request, verify=FAILED:certificate revoked",
    }
    refused = "HTTP 400 FAILED:certificate revoked"
    assert [(look["client"], look["seen"]) for look in document["revoked"]] == [
        *[("alice before", "HTTP 200 SUCCESS")] * 2,
        *[("alice after", refused)] * 2,
        *[("alice after, offering the session from before", refused)] * 2,
    ]
    assert not (place / "home" / "nginx" / "run" / "nginx.pid").exists()


@pytest.mark.nginx
@pytest.mark.parametrize("options", [(), ("--stop",)])
def test_its_ending(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Each file is there, with the end that it has itself; pasted as printed each command works, and nginx stops."""
    place = tmp_path / "my demo"
    ran = _quickstart(place, *options)
    try:
        assert ran.returncode == 0, ran.stderr
        lines = ran.stdout.splitlines()
        _check_files(place, lines)
        assert _until(place, "clients", "servers") in "\n".join(lines)
        prepared, commands = _following(lines)
        assert any(line.startswith("the next quickstart removes all of it") for line in lines)
        assert commands[1].endswith("counterseal list")
        assert commands[2].endswith("nginx deploy" if options else "prove")
        for command in commands:
            typed = _paste(tmp_path, prepared, command)
            assert typed.returncode == 0, f"{command}: {typed.stderr}"
        assert (place / "handout" / "bob.p12").is_file()
        stopped = _paste(tmp_path, prepared, lines[-1].partition("until: ")[2])
        assert (stopped.returncode, stopped.stdout) == (0, "nginx is stopped\n"), stopped.stderr
    finally:
        counterseal(place / "home", "nginx", "stop")


@pytest.mark.nginx
@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_directory_that_nginx_cannot_take_is_refused_first(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Before there is anything in it."""
    ran = _quickstart(tmp_path / "it's", *options)
    assert (ran.returncode, ran.stdout, list(tmp_path.iterdir())) == (2, "", []), ran
    assert "nginx cannot take this path: " in ran.stderr


def _quickstart(place: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "counterseal", "quickstart", "--dir", str(place), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def _paste(directory: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    """Run lines in a shell of their own, in another directory, as a person who pastes them."""
    shell = shutil.which("sh") or "sh"
    words = [shell, "-c", "\n".join(lines)]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, cwd=directory)


def _following(lines: list[str]) -> tuple[str, list[str]]:
    """Return the line that prepares the shell, and the commands to try; fails unless they are three."""
    at = lines.index("the next three commands to try:")
    commands = [line.strip() for line in lines[at + 1 :] if line.startswith("  ")]
    assert len(commands) == 3
    return lines[at - 1].strip(), commands


def _check_files(place: Path, lines: list[str]) -> None:
    """Hold each certificate that is told, and the line below it, to the file."""
    told = {"root": "handout/ca.pem", "alice's": "handout/alice.p12"}
    told["server"] = "home/nginx/current/sites/demo.chain.pem"
    for what, name in told.items():
        at = next(number for number, line in enumerate(lines) if line.split()[:2] == [what, "certificate"])
        assert str(place / name) in lines[at]
        assert (place / name).is_file()
        pem = (place / name).with_name("alice.cert.pem") if name.endswith(".p12") else place / name
        end = x509.load_pem_x509_certificates(pem.read_bytes())[0].not_valid_after_utc
        assert f"until {end:%Y-%m-%d}" in lines[at + 1]
    password = next(line for line in lines if "alice.p12, password " in line).rpartition(" ")[2]
    assert load_pkcs12((place / "handout/alice.p12").read_bytes(), password.encode()).key is not None
    for what, path in (("CA, store and configuration", "home"), ("the CA keys' passphrase", "passphrase")):
        assert any(line.split() == [*what.split(), *str(place / path).split()] for line in lines)
        assert (place / path).exists()


def _until(place: Path, *names: str) -> str:
    """Return the line about issuing CAs as the store has them."""
    shown = {name: counterseal(place / "home", "ca", "show", name).stdout for name in names}
    ends = {name: text.partition("\nuntil    ")[2][:10] for name, text in shown.items()}
    return f"issuing CAs                  {', '.join(f'{name} until {end}' for name, end in ends.items())}\n"


@pytest.mark.nginx
def test_quickstart_never_clears_a_directory_that_is_not_its_own(tmp_path: Path) -> None:
    """A directory with somebody's files in it is refused and stays as it is."""
    (tmp_path / "mine").write_text("precious")
    command = [sys.executable, "-m", "counterseal", "quickstart", "--dir", str(tmp_path), "--stop"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ))
    assert ran.returncode == 2
    assert "not made by quickstart" in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.nginx
def test_a_link_to_the_directory_is_followed_again(tmp_path: Path) -> None:
    """The second run through it ended as a fault of ours; what the link leads to is made anew, the link stays."""
    (tmp_path / "link").symlink_to(tmp_path / "real")
    command = [sys.executable, "-m", "counterseal", "quickstart", "--dir", str(tmp_path / "link"), "--stop"]
    for _ in range(2):
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=dict(os.environ))
        assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "handout" / "alice.p12").is_file()


def test_where_nothing_can_be_installed_it_is_said_what_is_missing(tmp_path: Path) -> None:
    """No Python, no apt, no sudo: ./quickstart names the packages and begins nothing (the rest: fresh_machine.sh)."""
    checkout, tools = tmp_path / "checkout", tmp_path / "tools"
    (checkout / "scripts").mkdir(parents=True)
    tools.mkdir()
    for name in ("quickstart", "scripts/setup.sh"):
        shutil.copy(ROOT / name, checkout / name)
    for name in ("sh", "dirname"):
        (tools / name).symlink_to(shutil.which(name) or name)
    ran = subprocess.run(
        [tools / "sh", checkout / "quickstart"],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[:2] == [
        "error: Python 3.11 or newer with venv is missing: no python3 found",
        "hint: as root: apt-get install python3 python3-venv",
    ]
    assert sorted(path.name for path in checkout.iterdir()) == ["quickstart", "scripts"]


HIDE = 'mount --bind /dev/null /usr/sbin/nginx; exec "$@"'
WITHOUT_WHEEL = f"""#!{sys.executable}
import importlib.metadata as m; m.files = lambda _: []; from counterseal.cli.run import run; exit(run())
"""


def test_quickstart_without_an_nginx_does_what_needs_none(tmp_path: Path) -> None:
    """Where neither the system nor Python has one, it says so, with what was made all the same, and ends with 1."""
    place = tmp_path / "demo"
    program = tmp_path / "counterseal"
    program.write_text(WITHOUT_WHEEL)
    program.chmod(0o755)
    command = [str(program), "quickstart", "--dir", str(place), "--stop"]
    unshare, shell = shutil.which("unshare") or "unshare", shutil.which("sh") or "sh"
    hidden = [unshare, "--mount", "--map-root-user", shell, "-c", f"PATH={os.environ['PATH']}; {HIDE}", "sh", "env"]
    if not Path("/usr/sbin/nginx").exists():
        hidden = ["env"]
    ran = subprocess.run(
        [*hidden, f"PATH={tmp_path}", *command], capture_output=True, text=True, timeout=60, check=False
    )
    if "unshare" in ran.stderr:
        pytest.skip(f"a machine without nginx needs a mount namespace: {ran.stderr.strip()}")
    assert ran.returncode == 1, ran.stderr
    assert "nginx not found" in ran.stdout
    assert "apt install nginx" in ran.stdout
    assert "server certificate" not in ran.stdout
    assert _until(place, "clients", "servers") in ran.stdout
    prepared, commands = _following(ran.stdout.splitlines())
    for words in commands:
        typed = _paste(tmp_path, f"PATH={tmp_path}:$PATH", prepared, words)
        assert typed.returncode == 0, typed.stderr
    assert (place / "handout" / "alice.p12").is_file()
    assert (place / "home" / "store.sqlite").is_file()
    assert not (place / "home" / "nginx").exists()
