"""``counterseal client --batch`` as typed, its results read with openssl, killed at many moments and run again."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from command import counterseal, write_secret
from counterseal.store.records import Status
from counterseal.store.sqlite import open_store
from programs import run_program

if TYPE_CHECKING:
    from counterseal.store.records import CertificateRecord

ROWS = 600


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home whose CA keys are encrypted."""
    home = tmp_path / "home"
    write_secret(tmp_path / "pass", "correct horse battery\n")
    assert counterseal(home, "init", "--passphrase-file", str(tmp_path / "pass")).code == 0
    return home


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    """Return a file of devices, with one name that is no file name and one that is no ASCII."""
    return _write_rows(tmp_path / "devices.csv", ROWS)


def _write_rows(path: Path, count: int) -> Path:
    names = [f"device-{number:04d}" for number in range(count - 2)] + ["bench 7/left", "prüfstand"]
    lines = [f"{name},device-{number}@example.com,ops,30d" for number, name in enumerate(names)]
    path.write_text("\n".join(["name,email,group,lifetime", *lines]) + "\n", encoding="utf-8")
    return path


def _batch(home: Path, devices: Path, *options: str) -> list[str]:
    common = ["client", "--batch", str(devices), "--passphrase-file", str(home.parent / "pass")]
    return [*common, *options]


def _sheet(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _valid(home: Path) -> list[CertificateRecord]:
    """Return the client certificates that the store has."""
    with open_store(home / "store.sqlite") as store:
        rows = store.rows("select serial_number, issuer from certificate where status = 'valid' and profile = 'client'")
        return [store.certificate(int.from_bytes(serial, "big"), issuer=issuer) for serial, issuer in rows]


def _check_pairs(home: Path, out: Path, *, count: int = ROWS) -> None:
    """Check that each row has one certificate in the store, the same in its file, and the key that fits it."""
    records = _valid(home)
    sheet = _sheet(out / "issued.csv")
    assert len(records) == len(sheet) == len({record.name for record in records}) == count
    stored = {f"{record.serial_number:034X}": record for record in records}
    assert all(stored[row["serial_number"]].name == row["name"] for row in sheet)
    serials = set()
    for key in out.glob("*.key.pem"):
        assert key.stat().st_mode & 0o777 == 0o600
        chain = key.with_name(key.name.replace(".key.pem", ".fullchain.pem")).read_bytes()
        certificate = x509.load_pem_x509_certificate(chain)
        assert load_pem_private_key(key.read_bytes(), None).public_key() == certificate.public_key()
        serials.add(f"{certificate.serial_number:034X}")
    assert serials == set(stored)
    assert counterseal(home, "log", "verify").code == 0


def test_openssl_reads_what_a_batch_made(home: Path, devices: Path, tmp_path: Path) -> None:
    """Certificates verify up to the root, the PKCS#12 opens with the row's password, the lifetime is the row's."""
    out = tmp_path / "out"
    ran = counterseal(home, *_batch(home, devices, "--p12-rounds", "2048", "--out", str(out)))
    assert ran.code == 0, ran.stderr
    assert "2,048 rounds" in ran.stderr
    _check_pairs(home, out)
    assert (out / "issued.csv").stat().st_mode & 0o777 == 0o600
    for row in (_sheet(out / "issued.csv")[0], _sheet(out / "issued.csv")[-2]):
        stem = next(out.glob(f"{row['name'].split()[0]}*.p12")).name.removesuffix(".p12")
        (tmp_path / "password").write_text(row["password"])
        verify = ("openssl", "verify", "-purpose", "sslclient", "-CAfile", "ca.pem", "-untrusted")
        run_program(*verify, f"{stem}.fullchain.pem", f"{stem}.fullchain.pem", cwd=out)
        opened = ("openssl", "pkcs12", "-in", f"{stem}.p12", "-passin", f"file:{tmp_path}/password", "-nodes")
        said = run_program(*opened, cwd=out)
        assert "-----BEGIN PRIVATE KEY-----" in said
        assert said.count("BEGIN CERTIFICATE") == 3
        shown = ("-noout", "-subject", "-nameopt", "RFC2253", "-enddate")  # each OpenSSL has a default of its own
        text = run_program("openssl", "x509", "-in", f"{stem}.fullchain.pem", *shown, cwd=out)
        assert "OU=ops" in text


def test_an_archive_has_the_same_and_a_second_run_adds_only_what_is_new(
    home: Path, devices: Path, tmp_path: Path
) -> None:
    """One file of mode 0600, its sheet beside it; run again nothing is issued, with more rows only those."""
    archive = tmp_path / "devices.tar"
    words = _batch(home, devices, "--no-p12", "--archive", str(archive), "--json")
    first = counterseal(home, *words)
    assert first.code == 0, first.stderr
    assert json.loads(first.stdout)["issued"] == ROWS
    assert archive.stat().st_mode & 0o777 == 0o600
    with tarfile.open(archive) as tar:
        modes = {member.name: member.mode for member in tar}
    assert len(modes) == 2 * ROWS + 1
    assert modes["devices/device-0000.key.pem"] == 0o600
    before = archive.read_bytes()
    again = json.loads(counterseal(home, *words).stdout)
    assert (again["issued"], again["issued_before"], archive.read_bytes()) == (0, ROWS, before)
    with devices.open("a") as stream:
        stream.write("one-more,,ops,\n")
    assert json.loads(counterseal(home, *words).stdout)["issued"] == 1
    run_program("tar", "-xf", str(archive), cwd=tmp_path)
    names = {path.name for path in (tmp_path / "devices").iterdir()}
    assert len(names) == 2 * (ROWS + 1) + 1
    assert "one-more.key.pem" in names


def test_every_bad_row_is_told_before_anything_is_issued(home: Path, tmp_path: Path) -> None:
    """With file, line and value: what cannot be read, what policy refuses, what stands twice, what is in the way."""
    path, out = tmp_path / "people.csv", tmp_path / "out"
    out.mkdir()
    (out / "taken.key.pem").write_text("somebody's")
    lines = ["name,email,group,lifetime", "good,a@b.example,ops,30d", "bad,not-an-address also-not,,", "long,,,9y9"]
    lines += ["good,,,", "old,,,30y", "probe,,counterseal-probe,", ",,,", "x" * 70 + ",,,", "taken,,,"]
    path.write_text("\n".join(lines) + "\n")
    ran = counterseal(home, *_batch(home, path, "--out", str(out)))
    assert ran.code == 2
    for expected in (
        "7 rows cannot be issued, so nothing was",
        "people.csv:3: not an e-mail address: 'not-an-address'",
        "people.csv:3: not an e-mail address: 'also-not'",
        "people.csv:4: not a length of time: '9y9'",
        "people.csv:5: name stands twice: 'good'",
        "people.csv:6: lifetime 10950d is above",
        "people.csv:7: OU=counterseal-probe",
        "people.csv:9: subject attribute CN has 70 characters",
        f"people.csv:10: file exists already: {out}/taken.key.pem",
    ):
        assert expected in ran.stderr
    assert [file.name for file in out.iterdir()] == ["taken.key.pem"]
    path.write_text(lines[0] + "\n")
    assert "there is no row" in counterseal(home, *_batch(home, path, "--out", str(out))).stderr
    assert not _valid(home)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "count", "options"),
    [
        (signal.SIGKILL, 3000, ["--no-p12", "--out", "out"]),
        (signal.SIGKILL, 3000, ["--no-p12", "--archive", "out/all.tar"]),
        (signal.SIGKILL, 150, ["--p12-rounds", "2048", "--out", "out"]),
        (signal.SIGTERM, 3000, ["--no-p12", "--archive", "out/all.tar"]),
        (signal.SIGINT, 300, ["--p12-rounds", "2048", "--out", "out"]),
    ],
)
def test_stopped_at_many_moments_and_run_again(
    home: Path, tmp_path: Path, how: signal.Signals, count: int, options: list[str]
) -> None:
    """No certificate twice and none lost; what a person is told on the way; no worker stays behind."""
    devices, out, stopped = _write_rows(tmp_path / "devices.csv", count), tmp_path / "out", 0
    words = _batch(home, devices, *options[:-1], str(tmp_path / options[-1]))
    journal = out / (".all.tar.journal" if "--archive" in options else ".issued.tar.journal")
    for turn in range(6):
        before = _lines(journal)
        running = _start(home, words)
        while running.poll() is None and _lines(journal) <= max(before, 2):  # a run cuts one off at most
            time.sleep(0.001)
        time.sleep(0.002 * (turn % 5))
        running.send_signal(how)
        said = running.communicate(timeout=60)[1]
        if running.returncode == 0:
            break
        stopped += 1
        if how is not signal.SIGKILL:
            assert running.returncode == 130
            assert "interrupted" in said
    assert stopped
    ended = counterseal(home, *words)
    assert ended.code == 0, ended.stderr
    if "--archive" in options:
        run_program("tar", "--strip-components=1", "-xf", "all.tar", cwd=out)
        (out / "all.issued.csv").rename(out / "issued.csv")
    _check_pairs(home, out, count=count)
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]
    assert _no_children_left(str(devices))


def _start(home: Path, words: list[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "counterseal", *words, "--home", str(home)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _lines(path: Path) -> int:
    """Return how many lines the file has: 0 when it is not there."""
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def _no_children_left(word: str) -> bool:
    """Whether no process has this word on its command line; workers get a moment to notice the end of their parent."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not any(word.encode() in _command_line(place) for place in Path("/proc").glob("[0-9]*")):
            return True
        time.sleep(0.05)
    return False


def _command_line(place: Path) -> bytes:
    try:
        return (place / "cmdline").read_bytes()
    except OSError:
        return b""


def test_two_batches_with_other_options_do_not_mix(home: Path, devices: Path, tmp_path: Path) -> None:
    """An unfinished batch goes on only as it was begun."""
    out = tmp_path / "out"
    running = _start(home, _batch(home, devices, "--no-p12", "--out", str(out)))
    while running.poll() is None and _lines(out / ".issued.tar.journal") <= 2:
        time.sleep(0.001)
    running.kill()
    running.communicate()
    refused = counterseal(home, *_batch(home, devices, "--p12-rounds", "2048", "--out", str(out)))
    assert refused.code == 2
    assert "an unfinished batch is here with other options" in refused.stderr
    assert len([record for record in _valid(home) if record.status is Status.VALID]) < ROWS
