"""What a command refuses, its rehearsal refuses with the same code: no passphrase, no room, no right, no generation."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

from command import here, write_secret
from counterseal.compose import ground
from counterseal.nginx.undo import Limits, Place
from disks import fill, remount, small_disk
from nginx_process import free_port
from one_site import SITE
from programs import run_program
from rehearsing import snapshot

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a CA whose keys are encrypted, the files of ann and of dave, who is held, and a CSR."""
    base = tmp_path_factory.mktemp("refusing")
    for name, text in (("passphrase", "not a secret here\n"), ("wrong", "another one\n"), ("short", "abc\n")):
        write_secret(base / name, text)
    request = ["-newkey", "rsa:2048", "-nodes", "-keyout", "bob.key", "-subj", "/CN=bob", "-out", "bob.csr"]
    run_program("openssl", "req", "-new", *request, cwd=base)
    (base / "rows.csv").write_text("name\neve\n")
    for words in (
        "init",
        "ca add staff --purpose client",
        "client ann",
        "client dave --no-p12",
        "revoke dave --reason certificate_hold",
    ):
        out = ("--out", f"{base}/out") if words.startswith("client") else ()
        ran = here(base / "home", *words.split(), *out, "--passphrase-file", f"{base}/passphrase")
        assert ran.code == 0, ran.stderr
    return base


@pytest.fixture
def base(made: Path, tmp_path: Path) -> Path:
    """Return a copy that a test may change."""
    return shutil.copytree(made, tmp_path / "base")


def refused_alike(base: Path, words: str, code: str, *, home: Path | None = None) -> None:
    """Hold a rehearsal, which changes nothing, and then the command to this code, and to one exit code."""
    command, before = words.format(b=base).split(), snapshot(base)
    rehearsed = here(home or base / "home", *command, "--dry-run", "--json")
    assert snapshot(base) == before, words
    done = here(home or base / "home", *command, "--json")
    codes = [json.loads(one.stdout).get("error", {}).get("code") for one in (rehearsed, done)]
    assert codes == [code, code], (words, rehearsed.stdout, done.stdout)
    assert rehearsed.code == done.code != 0


SIGNING = (
    "client cid --out {b}/new",
    "client --batch {b}/rows.csv --out {b}/new",
    "server a.test --out {b}/new",
    "sign {b}/bob.csr --profile client --out {b}/new",
    "renew ann --out {b}/new",
    "rekey ann --out {b}/new",
    "revoke ann",
    "unrevoke dave",
    "ca add more --purpose client",
    "ca revoke staff --yes",
    "crl",
)


@pytest.mark.parametrize("words", SIGNING)
def test_a_passphrase_that_is_wrong_or_lacks(base: Path, words: str) -> None:
    """Where nobody would be asked for it, it is tried; nobody is told that all would be done with a wrong one."""
    refused_alike(base, words, "key.passphrase_missing")
    refused_alike(base, f"{words} --passphrase-file {{b}}/wrong", "key.passphrase_wrong")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("backup {b}/x.backup", "passphrase.missing"),
        ("backup {b}/x.backup --passphrase-file {b}/short", "passphrase.short"),
        ("backup {b}/x.backup --passphrase-file {b}/nowhere", "file.read"),
        ("export ann --key-file {b}/out/ann.key.pem --out {b}/out", "file.exists"),
        ("export ann --format java --key-file {b}/out/ann.key.pem --out {b}/passphrase/x", "file.mkdir"),
        ("crl --out {b}/passphrase/x --passphrase-file {b}/passphrase", "file.mkdir"),
        ("timer install --unit-dir {b}/passphrase/x", "file.mkdir"),
        ("timeline --svg {b}/none/x.svg", "file.write"),
        ("timeline --svg {b}/passphrase/x.svg", "file.write"),
        ("handshake 127.0.0.1:1 --html {b}/none/x.html", "file.write"),
        ("handshake 127.0.0.1:1 --keylog {b}/none/x.log", "keylog.write"),
        ("handshake 127.0.0.1:1 --keylog {b}/bob.csr", "keylog.mode"),
    ],
)
def test_what_lies_in_the_way(base: Path, words: str, code: str) -> None:
    """A file where a directory would be made, a directory that nobody makes, a file that would be replaced."""
    (base / "bob.csr").chmod(0o644)
    refused_alike(base, words, code)


def test_a_key_log_that_is_there_is_appended_to_where_it_lies(base: Path) -> None:
    """Its directory need not be one in which this user may make files; a link is followed by neither."""
    logs, link = base / "logs", base / "link.log"
    logs.mkdir()
    write_secret(logs / "keys.log", "")
    link.symlink_to(logs / "keys.log")
    refused_alike(base, f"handshake 127.0.0.1:1 --keylog {link}", "keylog.write")
    logs.chmod(0o555)
    command = (sys.executable, "-m", "counterseal", "handshake", "127.0.0.1:1", "--keylog", f"{logs}/keys.log")
    told = run_program(*UNPRIVILEGED, *command, "--dry-run", cwd=base)
    logs.chmod(0o755)
    assert f"would append the secrets of the session to {logs}/keys.log\n" in told


@pytest.mark.parametrize("words", ["timeline --svg", "handshake 127.0.0.1:1 --svg", "handshake 127.0.0.1:1 --html"])
def test_a_picture_replaces_no_device(base: Path, words: str) -> None:
    """Root had /dev/null replaced by it, for the whole machine; ``>`` makes a file of /dev/stdout, which is a link."""
    os.mkfifo(base / "pipe")
    for place in ("/dev/null", "/dev/stdout", f"{base}/pipe"):
        ran = here(base / "home", *words.split(), place, "--dry-run")
        assert (ran.code, f"{place} is no file that can be replaced" in ran.stderr) == (2, True), ran.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("init", "passphrase.missing"),
        ("init --passphrase-file {b}/short", "passphrase.short"),
        ("init --passphrase-file {b}/nowhere", "file.read"),
        ("import-ca --certificate {b}/out/ca.pem --key {b}/bob.key", "passphrase.missing"),
    ],
)
def test_a_new_home_wants_a_passphrase(base: Path, words: str, code: str) -> None:
    """Of a rehearsal as well, but where a person would be asked."""
    refused_alike(base, words, code, home=base / "other")


PLACES = (
    ("client cid --out {b}/disk", "file.write"),
    ("client cid --out {b}/disk/x/y", "file.mkdir"),
    ("client --batch {b}/rows.csv --archive {b}/disk/a.tar", "file.write"),
    ("renew ann --out {b}/disk", "file.write"),
    ("rekey ann --out {b}/disk/x", "file.mkdir"),
    ("crl --out {b}/disk", "file.write"),
    ("backup {b}/disk/x.backup", "file.write"),
    ("timer install --unit-dir {b}/disk", "file.write"),
    ("export ann --key-file {b}/out/ann.key.pem --out {b}/disk", "file.write"),
    ("timeline --svg {b}/disk/x.svg", "file.write"),
    ("handshake 127.0.0.1:1 --keylog {b}/disk/x.log", "keylog.write"),
)


@pytest.fixture
def keyed(base: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the same, with a passphrase that needs not be given."""
    monkeypatch.setenv("COUNTERSEAL_PASSPHRASE_FILE", str(base / "passphrase"))
    return base


def test_a_disk_that_is_read_only(keyed: Path) -> None:
    """Files of any kind, and the units that would be removed from it."""
    with small_disk(keyed / "disk") as disk:
        assert here(keyed / "home", "timer", "install", "--unit-dir", str(disk / "units")).code == 0
        remount(disk, writable=False)
        for words, code in (*PLACES, ("timer remove --unit-dir {b}/disk/units", "file.use")):
            refused_alike(keyed, words, code)
        assert here(keyed / "home", "backup", str(keyed / "x.backup")).code == 0
        for words in ("init", "restore {b}/x.backup"):
            refused_alike(keyed, words, "file.mkdir", home=disk / "other")


def test_a_disk_that_is_full(keyed: Path) -> None:
    """So full that not even a small file goes there."""
    with small_disk(keyed / "disk") as disk:
        fill(disk)
        for words, code in (
            ("timer install --unit-dir {b}/disk", "file.write"),
            ("export ann --key-file {b}/out/ann.key.pem --out {b}/disk", "file.write"),
            ("timeline --svg {b}/disk/x.svg", "file.write"),
            ("client cid --out {b}/disk", "file.write"),
        ):
            refused_alike(keyed, words, code)


@pytest.mark.nginx
def test_nothing_is_deployed_and_another_deploy_is_under_way(keyed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock of another process is waited for as by the command, and neither made, taken nor written into."""
    (keyed / "home" / "counterseal.toml").write_text(SITE.format(port=free_port()))
    refused_alike(keyed, "prove", "generation.none")
    try:
        for _ in range(2):
            assert here(keyed / "home", "nginx", "deploy").code == 0
        monkeypatch.setattr(ground, "Place", partial(Place, limits=Limits(lock=0.1)))
        lock = os.open(keyed / "home" / "nginx" / "deploy.lock", os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        for words in ("nginx deploy", "nginx rollback", "prove"):
            refused_alike(keyed, words, "deploy.busy")
        os.close(lock)
        for words in ("nginx deploy", "nginx rollback", "prove"):
            assert here(keyed / "home", *words.split(), "--dry-run").code == 0
    finally:
        here(keyed / "home", "nginx", "stop")
