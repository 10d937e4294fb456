"""What a newcomer types in the first hour, and what others type who come from openssl, easy-rsa or step."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from command import Ran, counterseal
from programs import run_program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a CA whose root has no common name, with a client whose name has to be quoted."""
    home = tmp_path_factory.mktemp("newcomer") / "ca"
    assert counterseal(home, "init", "--no-passphrase", "--subject", "/C=DE/O=Example GmbH").code == 0
    return home


def _typed(home: Path, *words: str) -> Ran:
    ran = counterseal(home, *words)
    assert ran.code == 0, ran.stderr
    return ran


def test_a_ca_is_shown_as_others_know_it(home: Path) -> None:
    """The fingerprint is that of the exported certificate; an issuing CA is called by the root's organization."""
    exported = x509.load_pem_x509_certificate(_typed(home, "ca", "export").stdout.encode())
    assert f"SHA-256  {exported.fingerprint(SHA256()).hex()}" in _typed(home, "ca", "show").stdout
    shown = _typed(home, "ca", "show", "clients").stdout
    assert "subject  CN=Example GmbH clients,O=Example GmbH,C=DE" in shown
    assert "key      ECDSA P-256, not encrypted" in shown
    assert "list     number 1, 0 revoked" in shown


def test_the_next_command_can_be_pasted(home: Path, tmp_path: Path) -> None:
    """Whatever the name holds."""
    made = _typed(home, "client", "Ann's laptop", "--no-p12", "--out", str(tmp_path))
    following = made.stdout.splitlines()[-1].removeprefix("next: ")
    assert "name     Ann's laptop" in _typed(home, *shlex.split(following)[1:]).stdout


def test_of_a_second_certificate_the_next_step_says_which(home: Path, tmp_path: Path) -> None:
    """Its name stands for both by then: the command that is offered shows the new one."""
    words = ("client", "twice", "--no-p12", "--out", str(tmp_path), "--force")
    first = _typed(home, *words)
    assert (first.stdout.endswith("next: counterseal show twice\n"), first.stderr) == (True, "")
    second = _typed(home, *words)
    assert second.stderr.endswith("stays valid until it is revoked: counterseal list --name twice\n")
    made = second.stdout
    serial = made.partition("serial   ")[2].partition("\n")[0]
    following = made.splitlines()[-1].removeprefix("next: ")
    assert f"serial   {serial}\n" in _typed(home, *shlex.split(following)[1:]).stdout
    for one in json.loads(_typed(home, "list", "--name", "twice", "--json").stdout)["certificates"]:
        _typed(home, "revoke", one["serial_number"])
    assert _typed(home, *words).stderr == ""


def test_a_csr_comes_on_standard_input(home: Path, tmp_path: Path) -> None:
    """As from ssh."""
    run_program(
        *("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", "key.pem", "-out", "x.csr", "-subj", "/CN=x.test"),
        cwd=tmp_path,
    )
    command = [sys.executable, "-m", "counterseal", "sign", "-", "--profile", "server", "--home", str(home)]
    signed = subprocess.run(
        [*command, "--out", str(tmp_path)], input=(tmp_path / "x.csr").read_bytes(), capture_output=True, check=False
    )
    assert signed.returncode == 0, signed.stderr
    assert (tmp_path / "x.test.cert.pem").exists()


def test_what_a_csr_wished_in_vain_is_said(home: Path, tmp_path: Path) -> None:
    """Its own group and organization are not taken, and nobody has to find that out; asked for, they are kept."""
    making = "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out dora.csr"
    run_program(*making.split(), "-subj", "/O=Acme/OU=ops/CN=dora", cwd=tmp_path)
    words = ("sign", str(tmp_path / "dora.csr"), "--profile", "client", "--out", str(tmp_path), "--force")
    assert "warning: of the CSR's subject this is left out: O=Acme, OU=ops\n" in _typed(home, *words).stderr
    for more in ((), ("--dry-run",)):
        assert json.loads(_typed(home, *words, "--json", *more).stdout)["left_out"] == ["O=Acme", "OU=ops"]
    assert "left out: O=Acme\n" in _typed(home, *words, "--group", "ops").stderr
    assert "left out" not in _typed(home, *words, "--subject", "/O=Acme/OU=ops/CN=dora").stderr


def test_what_would_change_the_meaning_is_said_to_be_left_out(home: Path, tmp_path: Path) -> None:
    """To be a CA, and must-staple without a responder: the certificate has neither, and nobody has to find that out."""
    making = (
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out x.csr -subj /CN=x.test"
    )
    asking = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "tlsfeature=status_request")
    run_program(*making.split(), *asking, cwd=tmp_path)
    words = ("sign", str(tmp_path / "x.csr"), "--profile", "server", "--out", str(tmp_path), "--force")
    wished = ["to be a CA (basicConstraints CA:TRUE)", "must-staple (tlsfeature status_request)"]
    said = f"warning: no certificate here gets what the CSR asks for: {wished[0]}\n"
    why = "warning: must-staple is left out: must-staple cannot be met: certificates of CA 'servers' name no OCSP"
    for more in ((), ("--dry-run",)):
        assert said in (told := _typed(home, *words, *more).stderr)
        assert why in told
        assert json.loads(_typed(home, *words, "--json", *more).stdout)["left_out"] == wished


def test_must_staple_is_issued_and_kept(tmp_path: Path) -> None:
    """Where certificates name a responder; nothing is left out then, and ``inspect`` says what the server needs."""
    home, made = tmp_path / "home", tmp_path / "staple.test.cert.pem"
    why = "must-staple cannot be met: certificates of CA 'servers' name no OCSP responder"
    home.mkdir()
    (home / "counterseal.toml").write_text('[serve]\nhttp_url = "http://pki.example.com"\n')
    _typed(home, "init", "--no-passphrase")
    making = "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out x.csr"
    run_program(*making.split(), "-subj", "/CN=staple.test", "-addext", "tlsfeature=status_request", cwd=tmp_path)
    out = ("--out", str(tmp_path), "--force")
    words = ("sign", str(tmp_path / "x.csr"), "--profile", "server", *out)
    assert json.loads(_typed(home, *words, "--dry-run", "--json").stdout)["left_out"] == []
    assert "left out" not in _typed(home, *words).stderr
    for command in ("show", "renew", "rekey"):
        newest = f"{x509.load_pem_x509_certificate(made.read_bytes()).serial_number:X}"
        _typed(home, command, newest, *(out if command != "show" else ()))
        text = run_program("openssl", "x509", "-in", str(made), "-noout", "-ext", "tlsfeature", cwd=tmp_path)
        assert "status_request" in text
        assert "the server must staple an OCSP response" in _typed(home, "inspect", str(made)).stdout
    (home / "counterseal.toml").write_text("")
    newest = f"{x509.load_pem_x509_certificate(made.read_bytes()).serial_number:X}"
    for more in (("--dry-run",), ()):
        assert f"warning: must-staple is left out: {why}" in _typed(home, "renew", newest, *out, *more).stderr


@pytest.mark.parametrize("words", [("prove",), ("prove", "--dry-run"), ("nginx", "deploy"), ("nginx", "render")])
def test_without_a_site_each_command_ends_alike(home: Path, words: tuple[str, ...]) -> None:
    """One exit code and one error, and what makes a site."""
    ran = counterseal(home, *words, "--json")
    assert (ran.code, json.loads(ran.stdout)["error"]["code"]) == (2, "site.none"), ran.stderr
    assert "hint: counterseal nginx add SERVER_NAME" in ran.stderr


def test_files_of_a_host_are_called_by_what_every_system_takes(home: Path, tmp_path: Path) -> None:
    """The A-label of an international name, hyphens for the colons of an address; what looks alike stays apart."""
    made = _typed(home, "server", "bücher.example", "--out", str(tmp_path)).stdout
    assert "made server certificate bücher.example: CN=xn--bcher-kva.example" in made
    assert f"file     {tmp_path}/xn--bcher-kva.example.key.pem" in made
    _typed(home, "server", "::1", "--out", str(tmp_path))
    assert (tmp_path / "_ipv6.--1.cert.pem").exists()
    for name in ("a_b", "a:b"):
        _typed(home, "client", name, "--no-p12", "--out", str(tmp_path))
    assert len(list(tmp_path.glob("a_b*.key.pem"))) == 2
    rows = tmp_path / "rows.csv"
    rows.write_text("name\nsensor.bücher.example\nfd00::7\n", encoding="utf-8")
    _typed(home, "client", "--batch", str(rows), "--no-p12", "--out", str(tmp_path / "batch"))
    keys = {path.name for path in (tmp_path / "batch").glob("*.key.pem")}
    assert keys == {"sensor.xn--bcher-kva.example.key.pem", "_ipv6.fd00--7.key.pem"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("list", "--issuer", "client"), "did you mean 'clients'?"),
        (("list", "--profile", "clinet"), "did you mean 'client'?"),
        (("server", "https://a.test/"), "a URL is no name: leave out its scheme and path"),
        (("server", "a.test", "--san", "b.test,10.0.0.7"), "one name at a time, each with an option of its own"),
        (("server", "a.test:443"), "a port is no part of a name"),
        (("server", "999.0.0.1"), "its last label is a number"),
        (("nginx", "render"), "no site is configured"),
    ],
)
def test_a_wrong_word_is_told_from_nothing_found(home: Path, words: tuple[str, ...], told: str) -> None:
    """With what was probably meant."""
    ran = counterseal(home, *words)
    assert ran.code in {1, 2}
    assert told in ran.stderr
    assert ran.stdout == ""


def test_a_bundle_is_made_where_the_certificate_was_issued(home: Path, tmp_path: Path) -> None:
    """The root is there already, and is the same; what would change is not replaced unasked."""
    _typed(home, "client", "packed", "--no-p12", "--out", str(tmp_path))
    assert "packed.p12" in _typed(home, "export", "packed", "--out", str(tmp_path)).stdout
    again = counterseal(home, "export", "packed", "--out", str(tmp_path))
    assert (again.code, "file exists already" in again.stderr) == (1, True)
    lost = counterseal(home, "export", "packed", "--key-file", str(tmp_path / "lost"), "--out", str(tmp_path / "new"))
    assert "lost: no such file" in lost.stderr


def test_the_newest_uses_of_keys_are_shown(home: Path) -> None:
    """The last line is what happened last; from the start when that is asked for."""
    uses = json.loads(_typed(home, "log", "show", "--limit", "2", "--json").stdout)["key_uses"]
    every = json.loads(_typed(home, "log", "show", "--after", "0", "--json").stdout)["key_uses"]
    assert uses == every[-2:]
    assert [use["sequence"] for use in every] == list(range(1, len(every) + 1))


def test_a_second_revocation_says_what_the_certificate_is(home: Path, tmp_path: Path) -> None:
    """Instead of that there is none."""
    _typed(home, "client", "leaver", "--no-p12", "--out", str(tmp_path))
    _typed(home, "revoke", "leaver")
    again = counterseal(home, "revoke", "leaver")
    assert "no certificate named 'leaver' is valid or held: 1 is revoked\n" in again.stderr


def test_expired_certificates_are_no_valid_ones(home: Path, tmp_path: Path) -> None:
    """By the word that the list itself has for them."""
    _typed(home, "client", "brief", "--no-p12", "--lifetime", "1s", "--out", str(tmp_path))
    deadline = time.monotonic() + 30
    while "brief" not in _listed(home, "expired"):
        assert time.monotonic() < deadline
    assert "brief" not in _listed(home, "valid")


def _listed(home: Path, status: str) -> set[str]:
    found = json.loads(_typed(home, "list", "--status", status, "--json").stdout)["certificates"]
    return {row["name"] for row in found}
