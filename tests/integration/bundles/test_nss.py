"""What Firefox and Chromium on Linux keep certificates in: import by NSS's own tools, and the steps that we print."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from bundle_fixtures import PASSWORD, client_credential
from counterseal.bundles.pkcs12 import Strength, encode
from counterseal.pki.pem import encode_certificates
from programs import run_program

if TYPE_CHECKING:
    from pathlib import Path

IMPORTED = "pk12util: PKCS12 IMPORT SUCCESSFUL"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a directory with a new certificate database in ``db``, made as the steps say."""
    (tmp_path / "db").mkdir()
    run_program("certutil", "-d", "sql:db", "-N", "--empty-password", cwd=tmp_path)
    return tmp_path


def _import(store: Path, content: bytes, password: str, *, exit_code: int = 0) -> str:
    (store / "client.p12").write_bytes(content)
    (store / "password").write_text(password + "\n")
    command = ["pk12util", "-d", "sql:db", "-i", "client.p12", "-w", "password", "-K", ""]
    return run_program(*command, cwd=store, exit_code=exit_code)


@pytest.mark.parametrize("strength", list(Strength))
@pytest.mark.parametrize("kind", ["p-256", "p-384", "rsa-2048"])
def test_the_certificate_its_key_and_its_chain_arrive(store: Path, strength: Strength, kind: str) -> None:
    """Listed under the credential's name, with a key of its own, below the root."""
    assert IMPORTED in _import(store, encode(client_credential(kind), PASSWORD, strength=strength), PASSWORD)
    listed = run_program("certutil", "-d", "sql:db", "-L", cwd=store)
    assert re.search(r"^client\.device +u,u,u$", listed, re.MULTILINE)
    assert re.search(
        r"< 0> +(rsa|ec) +[0-9a-f]{40} +client\.device", run_program("certutil", "-d", "sql:db", "-K", cwd=store)
    )
    path = run_program("certutil", "-d", "sql:db", "-O", "-n", "client.device", cwd=store)
    assert re.findall(r"\[CN=([^]]+)\]", path) == ["Test Root", "Test Client CA", "client.device"]


@pytest.mark.parametrize("strength", list(Strength))
def test_with_the_root_trusted_it_is_valid_for_clients_only(store: Path, strength: Strength) -> None:
    """``ca.pem`` is added by the command that the steps give."""
    known = client_credential()
    _import(store, encode(known, PASSWORD, strength=strength), PASSWORD)
    verify = ["certutil", "-d", "sql:db", "-V", "-n", "client.device", "-b", "260601120000Z", "-u"]
    assert "not trusted" in run_program(*verify, "C", cwd=store, exit_code=255)
    (store / "ca.pem").write_bytes(encode_certificates(known.trust_anchor))
    trust = ["certutil", "-d", "sql:db", "-A", "-t", "CT,,", "-n", "counterseal-root", "-i", "ca.pem"]
    run_program(*trust, cwd=store)
    assert "certificate is valid" in run_program(*verify, "C", cwd=store)
    assert "not approved" in run_program(*verify, "V", cwd=store, exit_code=255)


@pytest.mark.parametrize("strength", list(Strength))
@pytest.mark.parametrize(
    "password", ["".join(map(chr, range(0x20, 0x7F))), "pässwörter sind", "密码密码密码", "a 😀 b"]
)
def test_any_printable_password_opens_the_file(store: Path, strength: Strength, password: str) -> None:
    """NSS agrees with OpenSSL about characters outside ASCII."""
    assert IMPORTED in _import(store, encode(client_credential(), password, strength=strength), password)


@pytest.mark.parametrize("kind", ["ed25519", "ed448"])
def test_the_reason_why_edwards_keys_are_refused_still_holds(store: Path, kind: str) -> None:
    """When NSS learns to import them this fails, and the rule may go."""
    known = client_credential(kind)
    content = serialize_key_and_certificates(
        b"client.device",
        known.private_key,  # type: ignore[arg-type]  # one of the two kinds above
        known.certificate,
        None,
        BestAvailableEncryption(PASSWORD.encode()),
    )
    assert "Error attempting to import private key" in _import(store, content, PASSWORD, exit_code=19)
