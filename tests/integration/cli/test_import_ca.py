"""A CA of easy-rsa and one of openssl are taken over with what they issued and revoked."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from cryptography import x509

from command import counterseal, here, write_secret
from one_site import SITE, meets
from ports import free_port
from programs import run_program

EASY_RSA = Path("/usr/share/easy-rsa/easyrsa")


@pytest.mark.skipif(not EASY_RSA.exists(), reason="easy-rsa is not installed")
def test_an_easy_rsa_directory_is_taken_over(tmp_path: Path) -> None:
    """Both certificates are in the inventory, the revoked one on the next CRL, and the CA issues."""
    environment = {**os.environ, "EASYRSA_PKI": str(tmp_path / "pki"), "EASYRSA_BATCH": "1", "EASYRSA_ALGO": "ec"}
    for words in (["init-pki"], ["build-ca", "nopass"], *(["build-client-full", n, "nopass"] for n in ("ann", "ben"))):
        _easy_rsa(words, environment, tmp_path)
    _easy_rsa(["--subject-alt-name=DNS:web.test", "build-server-full", "web.test", "nopass"], environment, tmp_path)
    _easy_rsa(["revoke", "ben", "keyCompromise"], environment, tmp_path)
    home = tmp_path / "home"
    ran = counterseal(home, "import-ca", "--easy-rsa", str(tmp_path / "pki"), "--no-passphrase")
    assert ran.code == 0, ran.stderr
    listed = json.loads(counterseal(home, "list", "--json").stdout)["certificates"]
    assert {row["name"]: row["status"] for row in listed} == {"ann": "valid", "ben": "revoked", "web.test": "valid"}
    assert counterseal(home, "crl", "--out", str(tmp_path / "crl")).code == 0
    crl = x509.load_pem_x509_crl((tmp_path / "crl" / "root.crl.pem").read_bytes())
    ben = next(int(row["serial_number"], 16) for row in listed if row["name"] == "ben")
    assert crl.get_revoked_certificate_by_serial_number(ben) is not None
    issued = counterseal(home, "client", "cid", "--out", str(tmp_path / "out"))
    assert issued.code == 0, issued.stderr
    out = tmp_path / "out"
    ca = str(tmp_path / "pki" / "ca.crt")
    assert "OK" in run_program("openssl", "verify", "-CAfile", ca, str(out / "cid.cert.pem"), cwd=tmp_path)
    for name, purpose in (("ann", "sslclient"), ("web.test", "sslserver")):
        renewed = counterseal(home, "renew", name, "--out", str(out))
        assert renewed.code == 0, renewed.stderr
        before, after = (
            x509.load_pem_x509_certificate(path.read_bytes())
            for path in (tmp_path / "pki" / "issued" / f"{name}.crt", out / f"{name}.cert.pem")
        )
        assert (after.subject, after.public_key()) == (before.subject, before.public_key())
        verify = ("openssl", "verify", "-CAfile", ca, "-purpose", purpose)
        assert "OK" in run_program(*verify, str(out / f"{name}.cert.pem"), cwd=tmp_path)


OPENSSL_CA = """\
[ca]
default_ca = here
[here]
database = index.txt
serial = serial
crlnumber = crlnumber
new_certs_dir = newcerts
certificate = ca.crt
private_key = ca.key
default_md = sha256
default_days = 30
default_crl_days = 7
policy = anything
[anything]
commonName = supplied
"""


def test_a_ca_of_openssl_is_taken_over(tmp_path: Path) -> None:
    """With an encrypted key, a revoked certificate and a list; a wrong passphrase takes over nothing."""
    for name, content in {"openssl.cnf": OPENSSL_CA, "old": "first words\n", "new": "other words here\n"}.items():
        write_secret(tmp_path / name, content)
    (tmp_path / "newcerts").mkdir()
    for name, content in {"index.txt": "", "serial": "0A\n", "crlnumber": "2A\n"}.items():
        (tmp_path / name).write_text(content)

    def openssl(*words: str) -> str:
        return run_program("openssl", *words, cwd=tmp_path)

    ca = ["ca", "-batch", "-config", "openssl.cnf", "-passin", "file:old"]
    openssl("genrsa", "-aes256", "-passout", "file:old", "-out", "ca.key", "2048")
    root = ["-new", "-x509", "-days", "3650", "-subj", "/O=example/CN=Root CA"]
    openssl("req", *root, "-key", "ca.key", "-passin", "file:old", "-out", "ca.crt")
    for name in ("ann", "ben", "held", "since", "above"):
        openssl(
            "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "x.key", "-subj", f"/CN={name}", "-out", "x.csr"
        )
        openssl(*ca, "-in", "x.csr", "-out", f"{name}.crt")
    openssl(*ca, "-revoke", "ben.crt", "-crl_reason", "keyCompromise")
    openssl(*ca, "-revoke", "held.crt", "-crl_hold", "holdInstructionNone")
    openssl(*ca, "-revoke", "since.crt", "-crl_compromise", "20261101000000Z")
    openssl(*ca, "-revoke", "above.crt", "-crl_CA_compromise", "20261101000000Z")
    openssl(*ca, "-gencrl", "-out", "ca.crl")

    home = tmp_path / "home"
    files = ["--certificate", "ca.crt", "--key", "ca.key", "--index", "index.txt"]
    taking = ["import-ca", *(str(tmp_path / word) if "." in word else word for word in files)]
    kept = ["--passphrase-file", str(tmp_path / "new")]
    refused = counterseal(home, *taking, "--ca-passphrase-file", str(tmp_path / "new"), *kept)
    assert (refused.code, home.exists()) == (1, False), refused.stderr
    assert "hint: pass --ca-passphrase-file FILE" in refused.stderr
    taken = counterseal(home, *taking, "--ca-passphrase-file", str(tmp_path / "old"), *kept)
    assert taken.code == 0, taken.stderr
    assert "5 certificates, 4 of them revoked" in taken.stdout
    assert "no extendedKeyUsage has the certificate of ann: a site" in taken.stderr
    assert "BEGIN ENCRYPTED PRIVATE KEY" in (home / "keys" / "root.key.pem").read_text()
    listed = json.loads(counterseal(home, "list", "--json").stdout)["certificates"]
    assert {row["name"]: row["revocation_reason"] for row in listed} == {
        "ann": None,
        "ben": "key_compromise",
        "held": "certificate_hold",
        "since": "key_compromise",
        "above": "ca_compromise",
    }
    assert {int(row["serial_number"], 16) for row in listed} == {*range(0x0A, 0x0F)}
    assert json.loads(counterseal(home, "show", "0A", "--json").stdout)["certificate"]["name"] == "ann"
    assert counterseal(home, "list", "--profile", "imported", "--expiring", "1s").stdout == "no certificates\n"
    assert counterseal(home, "list", "--expiring", "0s").stdout == "no certificates\n"
    renewed = counterseal(home, "renew", "ann", "--out", str(tmp_path / "out"), *kept)  # openssl gave it no purpose
    assert (renewed.code, "not for servers alone, nor for clients alone: ann" in renewed.stderr) == (2, True)
    assert counterseal(home, "crl", "--out", str(tmp_path / "crl"), *kept).code == 0
    crl = x509.load_pem_x509_crl((tmp_path / "crl" / "root.crl.pem").read_bytes())
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number > 0x2A  # openssl gave that one out
    assert [(entry.serial_number, _reason(entry)) for entry in crl] == [
        (0x0B, "keyCompromise"),
        (0x0C, "certificateHold"),
        (0x0D, "keyCompromise"),
        (0x0E, "cACompromise"),
    ]
    assert counterseal(home, "unrevoke", "held", *kept).code == 0
    assert counterseal(home, "client", "cid", "--no-p12", "--out", str(tmp_path / "out"), *kept).code == 0


def test_a_name_that_would_be_more_than_a_line_is_taken_over_escaped(tmp_path: Path) -> None:
    """In a list it made lines of its own, in a mail a field: no reminder was sent, and refresh failed."""
    _issue_without_purpose(tmp_path, "eve\nBcc: eve@x.test \x1b[2J")
    files = ("--certificate", "ca.crt", "--key", "ca.key", "--index", "index.txt")
    taking = [str(tmp_path / word) if "." in word else word for word in files]
    assert counterseal(tmp_path / "home", "import-ca", *taking, "--no-passphrase").code == 0
    escaped = r"eve\0ABcc: eve@x.test \1B[2J"
    assert escaped in counterseal(tmp_path / "home", "list").stdout
    assert escaped in counterseal(tmp_path / "home", "show", escaped).stdout


@pytest.mark.nginx
def test_a_servers_certificate_without_a_purpose_is_a_clients_until_it_is_revoked(tmp_path: Path) -> None:
    """It is let in, which no row of the proof shows; ``allow`` keeps it out, and doctor tells of it meanwhile."""
    home, port = tmp_path / "home", free_port()
    _issue_without_purpose(tmp_path, "ann", "web.test")

    def doctor() -> dict[str, str]:
        checks = json.loads(here(home, "doctor", "--no-proof", "--json").stdout)["checks"]
        (line,) = [one for one in checks if one["check"] == "imported"]
        return dict(line)

    def let_in() -> list[int | None]:
        return [meets(home, port, name) for name in ("ann", "web.test")]

    files = ("--certificate", "ca.crt", "--key", "ca.key", "--index", "index.txt")
    taking = [str(tmp_path / word) if "." in word else word for word in files]
    assert counterseal(home, "import-ca", *taking, "--no-passphrase").code == 0
    (home / "counterseal.toml").write_text(SITE.format(port=port))
    deployed = counterseal(home, "nginx", "deploy", "--json")
    try:
        assert ([proof["passed"] for proof in json.loads(deployed.stdout)["proofs"]], let_in()) == ([True], [200, 200])
        line = doctor()
        assert line["state"] == "attention"
        assert line["message"].startswith("2 of 2 valid certificates of another program without extendedKeyUsage")
        assert line["message"].endswith("admits a server's too: ann, web.test")
        assert "until then name who may come in: allow" in line["mend"]
        (home / "counterseal.toml").write_text(SITE.format(port=port) + 'allow = { subjects = ["CN=ann"] }\n')
        assert (counterseal(home, "nginx", "deploy").code, let_in()) == (0, [200, 403])
        (home / "counterseal.toml").write_text(SITE.format(port=port))
        assert (counterseal(home, "revoke", "web.test").code, let_in()) == (0, [200, 400])
        assert doctor()["message"].startswith("1 of 1 valid certificate of another program without")
    finally:
        counterseal(home, "nginx", "stop")


def _issue_without_purpose(directory: Path, *names: str) -> None:
    """Make a CA of openssl, and have it issue these certificates as its own configuration does: without extensions."""
    for folder in ("newcerts", "out"):
        (directory / folder).mkdir()
    for name, content in {"openssl.cnf": OPENSSL_CA, "index.txt": "", "serial": "0A\n"}.items():
        (directory / name).write_text(content)
    new = ("req", "-new", "-newkey", "rsa:2048", "-nodes")
    root = ("-x509", "-days", "3650", "-subj", "/O=example/CN=Root CA", "-keyout", "ca.key", "-out", "ca.crt")
    run_program("openssl", *new, *root, cwd=directory)
    for name in names:
        asked = ("-keyout", f"out/{name}.key.pem", "-subj", f"/CN={name}", "-out", "x.csr")
        run_program("openssl", *new, *asked, cwd=directory)
        sign = ("ca", "-batch", "-config", "openssl.cnf", "-notext", "-in", "x.csr")
        run_program("openssl", *sign, "-out", f"out/{name}.fullchain.pem", cwd=directory)


def _reason(entry: x509.RevokedCertificate) -> str:
    return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value


def _easy_rsa(words: list[str], environment: dict[str, str], directory: Path) -> None:
    import subprocess  # noqa: PLC0415 - only here

    shell = shutil.which("sh") or "/bin/sh"
    ran = subprocess.run(
        [shell, str(EASY_RSA), *words], env=environment, cwd=directory, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
