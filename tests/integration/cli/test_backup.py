"""A backup brings a CA back onto an empty machine: it issues and revokes there as before."""

from __future__ import annotations

import json
import os
import stat
import sys
import sysconfig
from fcntl import LOCK_SH, flock
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

import counterseal as package
from command import counterseal, write_secret
from counterseal.handshake.attempt import attempt
from counterseal.handshake.observation import Attempt, Endpoint, ProbeIdentity
from dying import die
from ports import free_port
from programs import run_program

if TYPE_CHECKING:
    from command import Ran

DISTRIBUTION = "/usr/bin/python3"


@pytest.fixture
def passphrase(tmp_path: Path) -> str:
    """Return the name of a passphrase file."""
    return write_secret(tmp_path / "passphrase", "correct horse battery\n")


@pytest.fixture(params=["of the environment", "of the distribution"])
def python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have commands run by this Python; an older one of the same version has not all that the newer one has."""
    if request.param == "of the environment":
        return
    if not Path(DISTRIBUTION).exists():
        pytest.skip(f"there is no {DISTRIBUTION}")
    here = list(map(str, sys.version_info[:3]))
    release = run_program(DISTRIBUTION, "-c", "import sys; print(*sys.version_info[:3])", cwd=tmp_path).split()
    if release == here or release[:2] != here[:2]:
        pytest.skip(f"{DISTRIBUTION} is the same, or loads no extension modules of the environment")
    monkeypatch.setattr(sys, "executable", DISTRIBUTION)
    packages = (str(Path(package.__file__).parents[1]), sysconfig.get_path("purelib"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(packages))


@pytest.mark.usefixtures("python")
def test_a_restored_ca_issues_and_revokes(tmp_path: Path, passphrase: str) -> None:
    """Everything is there, the log is intact, and the CA goes on."""
    first, second, file = tmp_path / "first", tmp_path / "second", tmp_path / "ca.backup"
    assert counterseal(first, "init", "--passphrase-file", passphrase).code == 0
    out = str(tmp_path / "out")
    assert counterseal(first, "client", "alice", "--out", out, "--passphrase-file", passphrase).code == 0
    assert counterseal(first, "backup", str(file), "--passphrase-file", passphrase).code == 0
    assert file.stat().st_mode & 0o077 == 0
    assert b"alice" not in file.read_bytes()
    assert counterseal(second, "restore", str(file), "--passphrase-file", passphrase).code == 0
    assert counterseal(second, "client", "bob", "--out", out, "--passphrase-file", passphrase).code == 0
    assert counterseal(second, "revoke", "alice", "--passphrase-file", passphrase).code == 0
    listed = json.loads(counterseal(second, "list", "--profile", "client", "--json").stdout)["certificates"]
    assert {row["name"]: row["status"] for row in listed} == {"alice": "revoked", "bob": "valid"}
    assert counterseal(second, "log", "verify").stdout.startswith("the log is intact\n")


@pytest.mark.nginx
def test_who_was_revoked_after_the_backup_is_told_and_brought_back(tmp_path: Path) -> None:
    """A restore says what it does not know; the last published list has it; no number of a list is used twice."""
    first, second, out = tmp_path / "first", tmp_path / "second", tmp_path / "out"
    secret, port = write_secret(tmp_path / "passphrase", "correct horse battery\n"), free_port()
    opened = ("--passphrase-file", secret)

    def run(home: Path, *words: str) -> Ran:
        ran = counterseal(home, *words, *opened)
        assert ran.code == 0, ran.stderr
        return ran

    def number(home: Path) -> int:
        run(home, "crl", "--out", str(home / "lists"))
        crl = x509.load_pem_x509_crl((home / "lists" / "clients.crl.pem").read_bytes())
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number

    def status() -> int | None:
        cert, key = ((out / f"ann.{part}.pem").read_bytes() for part in ("fullchain", "key"))
        identity = ProbeIdentity("ann", cert, key)
        return attempt(Attempt(Endpoint("127.0.0.1", port), "a.test", "a.test", identity=identity)).status

    run(first, "init")
    run(first, "client", "ann", "--no-p12", "--out", str(out))
    (first / "counterseal.toml").write_text(
        f'[sites.a]\nserver_names = ["a.test"]\nlisten = ["127.0.0.1:{port}"]\nroot = "/srv"\n'
    )
    run(first, "backup", str(tmp_path / "ca.backup"))
    run(first, "revoke", "ann")
    last = number(first)
    told = run(second, "restore", str(tmp_path / "ca.backup")).stderr
    assert "who was revoked after that gets in again" in told
    assert "hint: counterseal ca import-crl FILE" in told
    try:
        run(second, "nginx", "deploy")
        assert status() == 200
        between = number(second)
        assert between > last + 100
        taken = run(second, "ca", "import-crl", str(first / "lists" / "clients.crl.pem"))
        assert "in force and proved: generation 2" in taken.stdout
        assert "revoked by list" in taken.stderr
        assert status() == 400
        run(tmp_path / "third", "restore", str(tmp_path / "ca.backup"))
        assert number(tmp_path / "third") > number(second) > between
    finally:
        counterseal(second, "nginx", "stop")


def test_a_hold_that_was_taken_back_comes_with_an_old_list_and_is_told(tmp_path: Path) -> None:
    """Nobody can tell it from one that a restored backup has forgotten."""
    home, lists = tmp_path / "home", tmp_path / "lists"
    for words in (
        ("init", "--no-passphrase"),
        ("client", "bob", "--no-p12", "--out", str(tmp_path / "out")),
        ("revoke", "bob", "--reason", "certificate_hold"),
        ("crl", "--out", str(lists)),
        ("unrevoke", "bob"),
    ):
        assert counterseal(home, *words).code == 0
    taken = counterseal(home, "ca", "import-crl", str(lists / "clients.crl.pem"))
    assert taken.code == 0, taken.stderr
    assert "warning: held by that list, also whose hold was taken back after it: bob\n" in taken.stderr
    assert counterseal(home, "unrevoke", "bob").code == 0


def test_who_was_held_and_then_revoked_for_good_stays_so_after_a_restore(tmp_path: Path, passphrase: str) -> None:
    """The backup knows the hold alone, which could be taken back."""
    first, second, file, lists = tmp_path / "first", tmp_path / "second", tmp_path / "ca.backup", tmp_path / "lists"
    given = ("--passphrase-file", passphrase)
    for words in (
        ("init", "--no-passphrase"),
        ("client", "bob", "--no-p12", "--out", str(tmp_path / "out")),
        ("revoke", "bob", "--reason", "certificate_hold"),
        ("backup", str(file), *given),
        ("revoke", "bob", "--reason", "key_compromise"),
        ("crl", "--out", str(lists)),
    ):
        assert counterseal(first, *words).code == 0
    assert counterseal(second, "restore", str(file), *given).code == 0
    taken = counterseal(second, "ca", "import-crl", str(lists / "clients.crl.pem"))
    assert (taken.code, "of CA clients: bob" in taken.stderr) == (0, True), taken.stderr
    unrevoked = counterseal(second, "unrevoke", "bob")
    assert (unrevoked.code, "no certificate named 'bob' is held: 1 is revoked" in unrevoked.stderr) == (1, True)
    assert counterseal(second, "ca", "import-crl", str(lists / "clients.crl.pem")).stdout.startswith("here already")


def test_what_a_link_leads_to_is_brought_back(tmp_path: Path, passphrase: str) -> None:
    """With its mode, as all files; the machine where it is restored has nothing at the other end."""
    first, second, file = tmp_path / "first", tmp_path / "second", tmp_path / "ca.backup"
    assert counterseal(first, "init", "--passphrase-file", passphrase).code == 0
    (tmp_path / "kept.toml").write_text('[ca]\ncrl_lifetime = "5d"\n')
    (first / "counterseal.toml").symlink_to(tmp_path / "kept.toml")
    assert counterseal(first, "backup", str(file), "--passphrase-file", passphrase).code == 0
    restored = counterseal(second, "restore", str(file), "--passphrase-file", passphrase)
    assert restored.code == 0, restored.stderr
    assert not (second / "counterseal.toml").is_symlink()
    assert (second / "counterseal.toml").read_text() == (tmp_path / "kept.toml").read_text()
    for path in (first / "keys", *(first / "keys").iterdir(), first / "store.sqlite"):
        assert (second / path.relative_to(first)).stat().st_mode == path.stat().st_mode, path


@pytest.mark.parametrize("rehearsed", [(), ("--dry-run",)], ids=["written", "rehearsed"])
@pytest.mark.parametrize(
    ("name", "kind", "what"),
    [
        ("keys/odd", "..", "a link to a directory"),
        ("keys/odd", "nowhere", "a link to nothing"),
        ("keys/odd", None, "neither a file nor a directory"),
        ("canaries", ".", "a link to a directory"),
        ("canaries", "..", "a link to a directory"),
    ],
)
def test_what_could_not_be_brought_back_is_named(
    tmp_path: Path, passphrase: str, rehearsed: tuple[str, ...], name: str, kind: str | None, what: str
) -> None:
    """A link to a directory above packed the backup into itself until the disk was full; nothing is left behind."""
    home, file = tmp_path / "home", tmp_path / "ca.backup"
    assert counterseal(home, "init", "--passphrase-file", passphrase).code == 0
    if kind is None:
        os.mkfifo(home / name)
    else:
        (home / name).symlink_to(kind)
    before = sorted(home.iterdir())
    ran = counterseal(home, "backup", str(file), "--passphrase-file", passphrase, *rehearsed)
    assert (ran.code, file.exists(), sorted(home.iterdir())) == (1, False, before), ran
    assert f"error: {what} does not go into a backup: {home / name}" in ran.stderr
    told = counterseal(home, "backup", str(file), "--passphrase-file", passphrase, "--json", *rehearsed)
    assert json.loads(told.stdout)["error"]["code"] == "backup.entry"


def test_a_part_may_lie_elsewhere_and_what_was_killed_is_cleaned_up(tmp_path: Path, passphrase: str) -> None:
    """Keys on a disk of their own are in the backup; the scratch directory of a backup that runs stays."""
    first, second, file = tmp_path / "first", tmp_path / "second", tmp_path / "ca.backup"
    assert counterseal(first, "init", "--passphrase-file", passphrase).code == 0
    (first / "keys").rename(tmp_path / "safe")
    (first / "keys").symlink_to(tmp_path / "safe")
    left = first / ".backup-killed"
    left.mkdir()
    (left / "archive.tar").write_bytes(b"half of it")
    running = os.open(first, os.O_RDONLY)
    flock(running, LOCK_SH)
    assert counterseal(first, "backup", str(tmp_path / "other"), "--passphrase-file", passphrase).code == 0
    assert left.exists()
    os.close(running)
    assert counterseal(first, "backup", str(file), "--passphrase-file", passphrase).code == 0
    assert list(first.glob(".backup-*")) == []
    assert counterseal(second, "restore", str(file), "--passphrase-file", passphrase).code == 0
    assert {path.name for path in (second / "keys").iterdir()} == {path.name for path in (tmp_path / "safe").iterdir()}
    assert (
        counterseal(second, "client", "bob", "--no-p12", "--passphrase-file", passphrase, "--out", str(tmp_path)).code
        == 0
    )


def test_what_a_killed_restore_left_is_removed_by_the_next(tmp_path: Path, passphrase: str) -> None:
    """The opened store and the keys lie in it."""
    first, second, file = tmp_path / "first", tmp_path / "second", tmp_path / "ca.backup"
    sealed = ("--passphrase-file", passphrase)
    assert counterseal(first, "init", *sealed).code == 0
    assert counterseal(first, "backup", str(file), *sealed).code == 0
    die(second, "counterseal.authority.backup:_move", 1, "restore", str(file), *sealed)
    assert [path.name.partition("-")[0] for path in second.iterdir()] == [".restore"]
    assert counterseal(second, "restore", str(file), *sealed).code == 0
    assert {path.name for path in second.iterdir()} == {"keys", "store.sqlite"}
    assert stat.S_IMODE((second / "keys").stat().st_mode) == 0o700


def test_a_damaged_or_foreign_backup_leaves_nothing(tmp_path: Path, passphrase: str) -> None:
    """A flipped bit, a cut, a wrong passphrase: an error, and the home stays empty."""
    first, second, file = tmp_path / "first", tmp_path / "second", tmp_path / "ca.backup"
    assert counterseal(first, "init", "--passphrase-file", passphrase).code == 0
    assert counterseal(first, "backup", str(file), "--passphrase-file", passphrase).code == 0
    whole = file.read_bytes()
    wrong = write_secret(tmp_path / "wrong", "another horse battery\n")
    for content, secret in (
        (whole[:-5], passphrase),
        (whole[:200] + bytes([whole[200] ^ 1]) + whole[201:], passphrase),
        (whole, wrong),
        (b"something else", passphrase),
    ):
        file.write_bytes(content)
        ran = counterseal(second, "restore", str(file), "--passphrase-file", secret)
        assert ran.code == 1
        assert "error: " in ran.stderr
        assert list(second.iterdir()) == []


@pytest.mark.parametrize("rehearsed", [(), ("--dry-run",)], ids=["restored", "rehearsed"])
def test_what_is_there_already_is_never_mixed_with_what_was_there(
    tmp_path: Path, passphrase: str, rehearsed: tuple[str, ...]
) -> None:
    """A directory that is empty is nothing; a configuration is something, and stays."""
    first, second, file = tmp_path / "first", tmp_path / "second", tmp_path / "ca.backup"
    assert counterseal(first, "init", "--passphrase-file", passphrase).code == 0
    (first / "counterseal.toml").write_text("[serve]\n")
    assert counterseal(first, "backup", str(file), "--passphrase-file", passphrase).code == 0
    (second / "keys").mkdir(parents=True)
    own = second / "counterseal.toml"
    own.write_text("# mine\n")
    refused = counterseal(second, "restore", str(file), "--passphrase-file", passphrase, *rehearsed)
    assert (refused.code, own.read_text(), list((second / "keys").iterdir())) == (1, "# mine\n", [])
    assert f"there is something already where the backup goes: {own}" in refused.stderr
    own.unlink()
    log = second / "store.sqlite-wal"
    log.write_bytes(b"of another store, which SQLite would play into this one")
    refused = counterseal(second, "restore", str(file), "--passphrase-file", passphrase, *rehearsed)
    assert (refused.code, list((second / "keys").iterdir())) == (1, [])
    assert f"there is something already where the backup goes: {log}" in refused.stderr
    log.unlink()
    assert counterseal(second, "restore", str(file), "--passphrase-file", passphrase).code == 0
    assert {path.name for path in (second / "keys").iterdir()} == {path.name for path in (first / "keys").iterdir()}
