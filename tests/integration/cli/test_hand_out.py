"""Renewing, rekeying, exporting and completing, as typed; read back with openssl and bash."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from command import counterseal
from programs import run_program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home with a client certificate for alice, its files in ``out``."""
    home = tmp_path / "home"
    assert counterseal(home, "init", "--no-passphrase").code == 0
    made = counterseal(
        home, "client", "alice", "--group", "ops", "--email", "a@b.example", "--out", str(tmp_path / "out")
    )
    assert made.code == 0, made.stderr
    return home


def _certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_renew_keeps_the_key_and_rekey_makes_a_new_one(home: Path, tmp_path: Path) -> None:
    """Both say the same as the certificate before; a name that stands for two is then never guessed."""
    first = _certificate(tmp_path / "out" / "alice.cert.pem")
    assert counterseal(home, "renew", "alice", "--out", str(tmp_path / "renewed")).code == 0
    renewed = _certificate(tmp_path / "renewed" / "alice.cert.pem")
    assert (renewed.subject, renewed.public_key()) == (first.subject, first.public_key())
    assert renewed.serial_number != first.serial_number
    ambiguous = counterseal(home, "rekey", "alice", "--out", str(tmp_path / "rekeyed"))
    assert ambiguous.code == 2
    assert f"{first.serial_number:X}" in ambiguous.stderr
    serial = f"{first.serial_number:034X}"
    rekeyed = counterseal(home, "rekey", serial, "--revoke-old", "--out", str(tmp_path / "rekeyed"), "--json")
    assert rekeyed.code == 0, rekeyed.stderr
    fresh = _certificate(tmp_path / "rekeyed" / "alice.cert.pem")
    assert fresh.subject == first.subject
    assert fresh.public_key() != first.public_key()
    password = json.loads(rekeyed.stdout)["password"]
    (tmp_path / "password").write_text(password)
    pkcs12 = str(tmp_path / "rekeyed" / "alice.p12")
    run_program("openssl", "pkcs12", "-in", pkcs12, "-passin", f"file:{tmp_path}/password", "-noout", cwd=tmp_path)
    assert json.loads(counterseal(home, "show", serial, "--json").stdout)["certificate"]["status"] == "revoked"


@pytest.mark.parametrize("kind", ["p12", "pem", "mobileconfig", "java", "kubernetes"])
def test_every_format_is_exported_where_the_key_is(home: Path, tmp_path: Path, kind: str) -> None:
    """Files are made; without the key it is said what is missing."""
    out = tmp_path / "exported"
    key = str(tmp_path / "out" / "alice.key.pem")
    made = counterseal(home, "export", "alice", "--format", kind, "--key-file", key, "--out", str(out))
    assert made.code == 0, made.stderr
    assert any(out.iterdir())
    missing = counterseal(home, "export", "alice", "--format", kind, "--out", str(tmp_path / "other"))
    assert missing.code == (0 if kind == "pem" else 1), missing.stderr


def test_the_steps_for_a_device_are_printed(home: Path) -> None:
    """They name the file of this very certificate."""
    told = counterseal(home, "export", "alice", "--help-device", "windows")
    assert told.code == 0
    assert "alice" in told.stdout


def test_refresh_says_that_nothing_is_due(home: Path) -> None:
    """Lists made a moment ago are not signed again."""
    assert counterseal(home, "refresh").stdout.strip() == "nothing is due"


def test_timer_units_call_refresh_on_this_home(home: Path, tmp_path: Path) -> None:
    """The service names the home; nothing is started."""
    assert counterseal(home, "timer", "install", "--unit-dir", str(tmp_path)).code == 0
    assert f"refresh --home {home}" in (tmp_path / "counterseal-refresh.service").read_text()
    assert "OnCalendar" in (tmp_path / "counterseal-refresh.timer").read_text()
