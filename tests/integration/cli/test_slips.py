"""What is typed with a slip: a file that is empty, of another kind or from an editor on Windows, a value of nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from command import counterseal, here, write_secret
from programs import run_program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a CA, with a CSR beside it."""
    place = tmp_path_factory.mktemp("slips")
    assert here(place / "home", "init", "--no-passphrase").code == 0
    run_program(
        *("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", "key.pem", "-out", "x.csr", "-subj", "/CN=x.test"),
        cwd=place,
    )
    return place / "home"


@pytest.mark.parametrize("lifetime", ["0d", "0s"])
def test_a_ca_that_would_end_at_once_is_not_made(home: Path, tmp_path: Path, lifetime: str) -> None:
    """Neither a root, of which nothing stays, nor one under it, which had got five years instead."""
    words = ("--no-passphrase", "--lifetime", lifetime)
    for more in ((), ("--single-tier",), ("--dry-run",)):
        refused = here(tmp_path / "new", "init", *words, *more)
        assert (refused.code, refused.stderr.splitlines()[-1]) == (2, "error: a CA must live for some time: 0s")
    assert not list((tmp_path / "new").rglob("*.key.pem"))
    assert here(tmp_path / "new", "init", "--no-passphrase").code == 0
    for more in ((), ("--dry-run",), ("--json",)):
        refused = here(home, "ca", "add", "brief", "--purpose", "client", "--lifetime", lifetime, *more)
        assert (refused.code, refused.stderr) == (2, "error: a CA must live for some time: 0s\n")
    assert "brief" not in here(home, "ca", "list").stdout


@pytest.mark.parametrize(
    "words",
    [("init", "--no-passphrase"), ("client", "a"), ("server", "a.test"), ("sign", "CSR", "--profile", "server")],
)
def test_an_empty_subject_is_not_another_one(home: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    """As from a variable that was not set: refused, instead of the usual subject."""
    typed = [str(home.parent / "x.csr") if word == "CSR" else word for word in words]
    place = tmp_path / "new" if words[0] == "init" else home
    refused = here(place, *typed, "--subject", "", *(() if words[0] == "init" else ("--out", str(tmp_path))))
    assert (refused.code, refused.stderr.splitlines()[0]) == (2, "error: subject is empty")
    assert not list(tmp_path.glob("*.pem"))


def test_a_file_that_is_no_csr_is_named_with_what_is_wrong(home: Path, tmp_path: Path) -> None:
    """Empty, UTF-16, a key, or anything; with the ends of lines of Windows it is one."""
    csr = (home.parent / "x.csr").read_text()
    contents = {
        "empty.csr": (b"", "the file is empty"),
        "wide.csr": (csr.encode("utf-16"), "the file is UTF-16 text, which openssl and nginx cannot read"),
        "key.csr": ((home.parent / "key.pem").read_bytes(), "not a certification request but: PRIVATE KEY"),
    }
    for name, (content, problem) in contents.items():
        (tmp_path / name).write_bytes(content)
        refused = here(home, "sign", str(tmp_path / name), "--profile", "server", "--out", str(tmp_path))
        assert (refused.code, refused.stderr.splitlines()[0]) == (2, f"error: {problem}: {tmp_path / name}")
        assert refused.stderr.endswith("hint: save it as UTF-8\n") == (name == "wide.csr")
    (tmp_path / "windows line.csr").write_bytes(csr.replace("\n", "\r\n").encode())
    signed = here(home, "sign", str(tmp_path / "windows line.csr"), "--profile", "server", "--out", str(tmp_path))
    assert signed.code == 0, signed.stderr


def test_a_key_in_utf_16_is_called_that(home: Path, tmp_path: Path) -> None:
    """Whoever saved it with an editor on Windows is told what to do with it."""
    assert here(home, "client", "ann", "--no-p12", "--out", str(tmp_path)).code == 0
    (tmp_path / "wide.pem").write_bytes((tmp_path / "ann.key.pem").read_text().encode("utf-16"))
    refused = here(home, "export", "ann", "--key-file", str(tmp_path / "wide.pem"), "--out", str(tmp_path / "new"))
    told = f"error: not a private key: {tmp_path / 'wide.pem'}\nhint: it is UTF-16 text: save it as UTF-8\n"
    assert (refused.code, refused.stderr) == (1, told)


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_an_nginx_configuration_of_nothing_is_not_found_sound(home: Path, tmp_path: Path, content: bytes) -> None:
    """As an empty standard input is not."""
    (tmp_path / "nginx.conf").write_bytes(content)
    refused = here(home, "nginx", "lint", str(tmp_path / "nginx.conf"), "--nginx-version", "1.28.0")
    told = f"error: no configuration in the file: {tmp_path / 'nginx.conf'}\n"
    assert (refused.code, refused.stderr.startswith(told)) == (2, True), refused


def test_an_nginx_configuration_in_utf_16_is_called_that(home: Path, tmp_path: Path) -> None:
    """Also one that is included; instead of a directive of escapes."""
    (tmp_path / "wide.conf").write_bytes("server_tokens off;\n".encode("utf-16"))
    (tmp_path / "nginx.conf").write_text("events {}\nhttp { include wide.conf; }\n")
    for name in ("wide.conf", "nginx.conf"):
        refused = here(home, "nginx", "lint", str(tmp_path / name), "--nginx-version", "1.28.0")
        told = f"error: the file is UTF-16 text, which nginx does not read: {tmp_path / 'wide.conf'}\nhint: save it"
        assert (refused.code, refused.stderr.startswith(told)) == (2, True), refused


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_batch_in_utf_16_is_called_that(home: Path, tmp_path: Path, suffix: str, encoding: str) -> None:
    """Instead of an unknown column of escapes, or rows that are no JSON; in UTF-8 with a mark it is read."""
    text = "name\r\nann\r\n" if suffix == "csv" else '{"name": "ann"}\r\n'
    mark = "" if encoding == "utf-16" else "\ufeff"
    rows = tmp_path / f"rows.{suffix}"
    rows.write_bytes((mark + text).encode(encoding))
    words = ("client", "--batch", str(rows), "--no-p12", "--out", str(tmp_path / "out"))
    refused = here(home, *words)
    assert (refused.code, refused.stderr) == (2, f"error: the file is UTF-16 text: {rows}\nhint: save it as UTF-8\n")
    rows.write_bytes(text.encode("utf-8-sig"))
    assert counterseal(home, *words).code == 0


def test_an_empty_batch_is_told_what_its_first_line_is(home: Path, tmp_path: Path) -> None:
    """With the columns that there are."""
    (tmp_path / "rows.csv").touch()
    refused = here(home, "client", "--batch", str(tmp_path / "rows.csv"), "--out", str(tmp_path))
    assert refused.code == 2
    assert refused.stderr.startswith(
        "error: rows.csv: there is no column 'name' in the first line, which is empty\nhint: "
    )
    assert "name,email,uri,dns,group,lifetime,subject" in refused.stderr


@pytest.mark.parametrize("content", ["correct horse".encode("utf-16"), b"\xef\xbb\xbfcorrect horse\r\n"])
def test_a_passphrase_that_nobody_can_type_is_not_taken(home: Path, tmp_path: Path, content: bytes) -> None:
    """For new keys and for a backup; the ends of lines of Windows are no part of one."""
    secret = tmp_path / "pass"
    write_secret(secret, "")
    secret.write_bytes(content)
    for place, words in ((tmp_path / "new", ("init",)), (home, ("backup", str(tmp_path / "b")))):
        refused = here(place, *words, "--passphrase-file", str(secret))
        assert (refused.code, refused.stderr.splitlines()[0]) == (
            2,
            f"error: the passphrase file is not plain text: {secret}",
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pass"]
    secret.write_bytes(b"correct horse\r\n")
    assert here(tmp_path / "new", "init", "--passphrase-file", str(secret)).code == 0
    secret.write_bytes(b"correct horse\n")
    signing = ("client", "a", "--passphrase-file", str(secret), "--no-p12", "--out", str(tmp_path))
    assert here(tmp_path / "new", *signing).code == 0


def test_what_is_no_backup_is_said_before_a_passphrase_is_wanted(home: Path, tmp_path: Path) -> None:
    """A file that is not there, or another one."""
    (tmp_path / "other").write_bytes((home.parent / "x.csr").read_bytes())
    told = {"none": f"cannot read {tmp_path / 'none'}: no such file", "other": "not a backup of counterseal: "}
    for name, words in told.items():
        command = [sys.executable, "-m", "counterseal", "restore", str(tmp_path / name), "--home", str(tmp_path / "r")]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert (ran.returncode, words in ran.stderr, "passphrase" in ran.stderr) == (1, True, False), ran.stderr


def test_a_byte_order_mark_in_the_configuration_is_named(tmp_path: Path) -> None:
    """The line behind it is right, and was said to be none."""
    assert here(tmp_path / "new", "init", "--no-passphrase").code == 0
    configuration = tmp_path / "new" / "counterseal.toml"
    configuration.write_text('[sites.a]\nserver_names = ["a.test"]\n', encoding="utf-8-sig")
    refused = here(tmp_path / "new", "nginx", "render")
    assert refused.code == 2
    assert "hint: save the file as UTF-8 without the byte order mark" in refused.stderr
