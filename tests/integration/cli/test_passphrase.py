"""Where the passphrase may come from: a terminal, a file, the environment's file, a systemd credential; never argv."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from command import counterseal, here, write_secret
from programs import run_program

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "correct horse battery"
PASSWORD = "typed on a bus, twice"


def typed(home: Path, *words: str, answers: list[str]) -> tuple[int, str]:
    """Run a command on a terminal, answer each prompt in turn, and return its exit code and all that was shown."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "counterseal", *words, "--home", str(home)]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    shown, left = b"", list(answers)
    while select.select([ours], [], [], 60)[0]:
        try:
            read = os.read(ours, 4096)
        except OSError:  # the other side has gone
            break
        if not read:
            break
        shown += read
        if left and shown.count(b": ") > len(answers) - len(left) and shown.endswith(b": "):
            os.write(ours, f"{left.pop(0)}\n".encode())
    os.close(ours)
    return process.wait(timeout=60), shown.decode()


def test_a_terminal_is_asked_and_shows_nothing(tmp_path: Path) -> None:
    """Twice for new keys, once to use them; what is typed does not appear."""
    home, out = tmp_path / "home", str(tmp_path / "out")
    code, shown = typed(home, "init", answers=[SECRET, SECRET])
    assert (code, SECRET in shown) == (0, False), shown
    code, shown = typed(home, "client", "alice", "--no-p12", "--out", out, answers=[SECRET])
    assert (code, SECRET in shown) == (0, False), shown
    code, shown = typed(home, "client", "bob", "--no-p12", "--out", out, answers=["wrong"])
    assert (code, "does not open the key" in shown) == (1, True), shown
    given = ("client", "bob", "--ask-password", "--out", out)
    code, shown = typed(home, *given, answers=[SECRET, PASSWORD, PASSWORD])  # the file's own is asked for last
    assert (code, SECRET in shown, PASSWORD in shown) == (0, False, False), shown


def test_a_passphrase_that_is_too_short_makes_nothing(tmp_path: Path) -> None:
    """It is refused before a key is made."""
    code, shown = typed(tmp_path / "home", "init", answers=["short", "short"])
    assert (code, "the passphrase is shorter than 8" in shown) == (2, True), shown
    assert not (tmp_path / "home").exists()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home whose keys need no passphrase, with a client alice whose PKCS#12 is compatible, in ``out``."""
    home = tmp_path / "home"
    assert here(home, "init", "--no-passphrase").code == 0
    made = here(home, "client", "alice", "--compatible", "--out", str(tmp_path / "out"))
    assert made.code == 0, made.stderr
    return home


@pytest.mark.parametrize(
    ("words", "file"),
    [
        ("client bob --ask-password --out @/out", "bob.p12"),
        ("client --batch @/rows.csv --ask-password --out @/out", "carol.p12"),
        ("export alice --format java --ask-password --key-file @/out/alice.key.pem --out @/out", "alice.keystore.p12"),
        ("rekey alice --ask-password --out @/out --force", "alice.p12"),
        ("renew alice --ask-password --out @/out --force", "alice.p12"),
    ],
)
def test_a_pkcs12_password_is_typed_twice(home: Path, tmp_path: Path, words: str, file: str) -> None:
    """It is neither shown nor told; openssl opens with it what was written, and what differs is asked for again."""
    (tmp_path / "rows.csv").write_text("name\ncarol\n")
    given = [word.replace("@", str(tmp_path)) for word in words.split()]
    code, shown = typed(home, *given, answers=[PASSWORD, f"{PASSWORD}!", PASSWORD, PASSWORD])
    assert (code, PASSWORD in shown, "password  " in shown) == (0, False, False), shown
    write_secret(tmp_path / "password", f"{PASSWORD}\n")
    opened = str(tmp_path / "out" / file)
    run_program("openssl", "pkcs12", "-in", opened, "-passin", f"file:{tmp_path}/password", "-noout", cwd=tmp_path)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("client alice", "file exists already: @/out/alice.key.pem"),
        ("client bob --lifetime 36500d", "lifetime 36500d is above 3650d"),
        ("client --batch @/rows.csv", "exists already: @/out/alice.key.pem"),
        ("export alice", "file exists already: @/out/alice.p12"),
        ("rekey alice", "file exists already: @/out/alice.key.pem"),
        ("renew alice", "file exists already: @/out/alice.cert.pem"),
    ],
)
def test_nobody_types_a_pkcs12_password_in_vain(home: Path, tmp_path: Path, words: str, why: str) -> None:
    """What is refused is refused before it is asked for."""
    (tmp_path / "rows.csv").write_text("name\nalice\n")
    given = words.replace("@", str(tmp_path)).split()
    code, shown = typed(home, *given, "--ask-password", "--out", str(tmp_path / "out"), answers=[])
    assert (code in {1, 4}, "password of the PKCS#12" in shown) == (True, False), shown
    assert why.replace("@", str(tmp_path)) in shown


@pytest.mark.parametrize(("answer", "why"), [("", "has 0 characters, 12 to 128"), ("short", "has 5 characters, 12 to")])
def test_a_pkcs12_password_that_is_too_short_makes_nothing(home: Path, tmp_path: Path, answer: str, why: str) -> None:
    """The bounds are said at once, not after it was typed twice; nothing is issued."""
    code, shown = typed(home, "client", "bob", "--ask-password", "--out", str(tmp_path / "out"), answers=[answer])
    assert (code, why in shown) == (4, True), shown
    assert "bob" not in here(home, "list").stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("client bob --ask-password", "--ask-password needs a terminal to ask on\nhint: use --password-file FILE"),
        ("client bob --ask-password --password-file p", "--password-file and --ask-password exclude each other"),
        ("client bob --ask-password --no-p12", "a password is for a PKCS#12, and --no-p12 makes none"),
        ("rekey alice --ask-password --no-p12", "a password is for a PKCS#12, and --no-p12 makes none"),
        ("client bob --no-p12 --compatible", "--compatible is for a PKCS#12, and --no-p12 makes none"),
        ("client --batch @/rows.csv --no-p12 --p12-rounds 3000", "--p12-rounds is for a PKCS#12, and --no-p12 makes"),
        ("rekey alice --no-p12 --modern", "--modern is for a PKCS#12, and --no-p12 makes none"),
        ("rekey alice --no-p12 --p12-rounds 3000", "--p12-rounds is for a PKCS#12, and --no-p12 makes none"),
        ("export alice --format pem --compatible", "--compatible is for a PKCS#12, and the format has none: pem"),
        ("export alice --format pem --ask-password", "the format has no place for a password: pem"),
    ],
)
def test_what_is_said_of_a_pkcs12_and_cannot_be_done(home: Path, tmp_path: Path, words: str, why: str) -> None:
    """Is refused with the reason before anything is asked or made."""
    (tmp_path / "rows.csv").write_text("name\ncarol\n")
    refused = here(home, *(word.replace("@", str(tmp_path)) for word in words.split()))
    assert (refused.code, why in refused.stderr) == (2, True), refused.stderr


def test_a_file_that_others_can_read_is_remarked_on(tmp_path: Path) -> None:
    """It opens the keys all the same, as secrets mounted into a container are often shown so; its group may read it."""
    file = tmp_path / "pass phrase"
    write_secret(file, f"{SECRET}\n")
    file.chmod(0o644)
    ran = counterseal(tmp_path / "home", "init", "--passphrase-file", str(file))
    assert (ran.code, SECRET in ran.stderr) == (0, False)
    assert f"warning: others can read the secret: {file} has mode 0644\nhint: chmod 600 '{file}'" in ran.stderr
    file.chmod(0o640)
    ran = counterseal(tmp_path / "home", "crl", "--passphrase-file", str(file))
    assert (ran.code, "others can read" in ran.stderr) == (0, False)


@pytest.mark.parametrize("way", ["option", "environment", "credential"])
def test_a_file_says_it_where_nobody_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Only its first line counts; the key at rest is one that openssl opens with it, AES-256 under scrypt."""
    home, file = tmp_path / "home", tmp_path / "counterseal-passphrase"
    write_secret(file, f"{SECRET}\nand a note\n")
    options = ["--passphrase-file", str(file)] if way == "option" else []
    if way == "environment":
        monkeypatch.setenv("COUNTERSEAL_PASSPHRASE_FILE", str(file))
    if way == "credential":
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert counterseal(home, "init", *options).code == 0
    assert counterseal(home, "client", "alice", "--no-p12", "--out", str(tmp_path / "out"), *options).code == 0
    key = str(home / "keys" / "root.key.pem")
    run_program("openssl", "pkey", "-in", key, "-passin", f"file:{file}", "-noout", cwd=tmp_path)
    told = run_program("openssl", "asn1parse", "-in", key, cwd=tmp_path)
    assert "aes-256-cbc" in told
    assert "scrypt" in told
