"""``counterseal inspect`` reads what openssl, NSS and Java wrote, and says the same as openssl."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from command import counterseal
from programs import run_program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a key, a certificate and their PKCS#12 in several forms, made by openssl."""
    home = tmp_path_factory.mktemp("files")
    subject = "/C=DE/O=Exämple/CN=server.example.com"
    run_program(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem"),
        *("-subj", subject, "-utf8", "-days", "30", "-addext", "subjectAltName=DNS:server.example.com,IP:10.0.0.1"),
        *("-addext", "nsComment=made by hand", "-addext", "1.2.3.4=DER:0403aabbcc"),
        cwd=home,
    )
    export = ("openssl", "pkcs12", "-export", "-in", "cert.pem", "-inkey", "key.pem", "-passout", "pass:secret")
    run_program(*export, "-name", "my key", "-out", "modern.p12", cwd=home)
    run_program(*export, "-legacy", "-out", "rc2.p12", cwd=home)
    (home / "password").write_text("secret\n")
    return home


def inspect(directory: Path, *arguments: str) -> dict[str, list[dict[str, object]]]:
    """Return what ``inspect --json`` answers, without any CA."""
    ran = counterseal(directory / "no-home", "inspect", "--json", *arguments)
    assert ran.code == 0, ran.stderr
    document: dict[str, list[dict[str, object]]] = json.loads(ran.stdout)
    return document


def test_it_says_the_same_as_openssl(made: Path) -> None:
    """Fingerprints, serial number and dates, digit for digit."""
    said = run_program(
        *("openssl", "x509", "-in", "cert.pem", "-noout", "-serial", "-enddate", "-dateopt", "iso_8601"), cwd=made
    )
    sha256 = run_program("openssl", "x509", "-in", "cert.pem", "-noout", "-fingerprint", "-sha256", cwd=made)
    (file,) = inspect(made, str(made / "cert.pem"))["files"]
    facts = file["things"][0]["facts"]  # type: ignore[index] # a list in the document
    assert f"serial={facts['serial_number']}\n" in said
    assert f"notAfter={facts['not_after'].replace('T', ' ')}" in said
    assert sha256.strip().rpartition("=")[2].replace(":", "").lower() == facts["sha256"]
    unknown = {one["oid"]: one for one in facts["extensions"]}
    assert unknown["1.2.3.4"]["der"] == "0403aabbcc"
    assert unknown["2.16.840.1.113730.1.13"]["value"] == ['"made by hand"']


@pytest.mark.parametrize(("name", "strength"), [("modern.p12", "modern"), ("rc2.p12", None), ("nss.p12", "modern")])
def test_pkcs12_of_others(made: Path, name: str, strength: str | None) -> None:
    """Openssl's two kinds, and NSS's in BER: strength without the password, contents with it."""
    if name == "nss.p12":
        database = made / "nss"
        database.mkdir()
        run_program("certutil", "-N", "-d", f"sql:{database}", "--empty-password", cwd=made)
        run_program("pk12util", "-i", "modern.p12", "-d", f"sql:{database}", "-W", "secret", cwd=made)
        run_program("pk12util", "-o", name, "-n", "my key", "-d", f"sql:{database}", "-W", "secret", cwd=made)
    closed = inspect(made, str(made / name))["files"][0]["things"]
    opened = inspect(made, str(made / name), "--password-file", str(made / "password"))["files"][0]["things"]
    assert closed[0]["facts"]["strength"] == strength  # type: ignore[index] # a list in the document
    assert [thing["kind"] for thing in opened] == ["pkcs12", "private_key", "certificate"]  # type: ignore[attr-defined] # same


def test_text_standard_input_and_what_is_nothing(made: Path) -> None:
    """A person's view: the verdict on the pair, a pipe, and exit code 1 for a file of something else."""
    (made / "site.conf").write_text("server { listen 443 ssl; }\n")
    ran = counterseal(made / "no-home", "inspect", str(made / "cert.pem"), str(made / "key.pem"))
    assert f"its private key is {made / 'key.pem'}" in ran.stdout
    assert "PRIVATE KEY-----" not in ran.stdout
    command = [sys.executable, "-m", "counterseal", "inspect", "-"]
    piped = subprocess.run(command, input=(made / "cert.pem").read_bytes(), capture_output=True, check=True)
    assert b"standard input: root CA: server.example.com" in piped.stdout
    nothing = counterseal(made / "no-home", "inspect", str(made / "site.conf"))
    assert (nothing.code, "by its looks a configuration" in nothing.stdout) == (1, True)


def test_a_wrong_password_is_called_wrong(made: Path) -> None:
    """Of a PKCS#12 and of a key, also one that is no UTF-8; without a password it is the one that lacks."""
    sealing = "openssl pkcs8 -topk8 -in key.pem -out sealed.pem -passout pass:secret"
    run_program(*sealing.split(), cwd=made)
    (made / "wrong").write_bytes(b"s\xe4cret\n")
    for name, words in (("modern.p12", "opened       no: "), ("sealed.pem", "key          not opened: ")):
        wrong = counterseal(made / "no-home", "inspect", str(made / name), "--password-file", str(made / "wrong"))
        assert (wrong.code, f"{words}the password is wrong" in wrong.stdout) == (1, True), wrong
        closed = counterseal(made / "no-home", "inspect", str(made / name))
        assert (closed.code, f"{words}needs its password" in closed.stdout) == (0, True), closed


def test_a_file_that_cannot_be_read_hides_no_other(made: Path) -> None:
    """They are shown, then the error; a program gets the error alone."""
    words = ("inspect", str(made / "lost.pem"), str(made / "cert.pem"))
    ran = counterseal(made / "no-home", *words)
    assert (ran.code, "root CA: server.example.com" in ran.stdout) == (1, True), ran
    assert ran.stderr.startswith(f"error: cannot read {made / 'lost.pem'}: no such file")
    assert set(json.loads(counterseal(made / "no-home", *words, "--json").stdout)) == {"version", "error"}


def test_attributes_of_a_csr_have_names(tmp_path: Path) -> None:
    """Those of PKCS#9 and of Microsoft; a challenge password is a secret, and only named."""
    settings = "distinguished_name=d\nattributes=a\nreq_extensions=e\n[d]\nCN=x\n[e]\nsubjectAltName=DNS:x.test\n"
    wished = "challengePassword=geheim\nunstructuredName=box\n1.3.6.1.4.1.311.13.2.3=10.0.1\n"
    (tmp_path / "x.cnf").write_text(f"[req]\nprompt=no\n{settings}[a]\n{wished}")
    making = "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout x.key -out x.csr"
    run_program(*making.split(), "-config", "x.cnf", cwd=tmp_path)
    (file,) = inspect(tmp_path, str(tmp_path / "x.csr"))["files"]
    named = set(file["things"][0]["facts"]["attributes"])  # type: ignore[index] # a list in the document
    assert named == {"challengePassword", "unstructuredName", "Microsoft Windows version", "extensionRequest"}
    assert "geheim" not in json.dumps(file)


def test_certificates_of_this_home_are_named(tmp_path: Path) -> None:
    """What the CA issued, and what became of it."""
    home, out = tmp_path / "home", tmp_path / "out"
    assert counterseal(home, "init", "--no-passphrase").code == 0
    assert counterseal(home, "client", "alice", "--out", str(out)).code == 0
    path = str(out / "alice.cert.pem")
    assert "valid certificate alice of CA clients" in counterseal(home, "inspect", path).stdout
    assert counterseal(home, "revoke", "alice", "--reason", "superseded").code == 0
    assert "revoked (superseded" in counterseal(home, "inspect", path).stdout
