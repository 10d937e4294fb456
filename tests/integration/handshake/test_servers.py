"""Every server refuses a client in a way of its own; the explanation is the same."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from command import counterseal
from foreign_servers import PROGRAMS, serving, write_files
from prove_pki import certificate_pem, key_pem, prove_pki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PKI = prove_pki()


class Server(NamedTuple):
    """A server that is running."""

    kind: str
    directory: Path
    port: int


@pytest.fixture(scope="module", params=list(PROGRAMS))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start one kind of server."""
    kind = request.param
    if shutil.which(PROGRAMS[kind]) is None:
        pytest.skip(f"{PROGRAMS[kind]} is not installed: scripts/setup.sh all")
    directory = tmp_path_factory.mktemp(kind)
    write_files(directory, PKI)
    with serving(kind, directory) as port:
        yield Server(kind, directory, port)


def look(server: Server, kind: str | None, *options: str, code: int) -> dict[str, Any]:
    """Run the command as a client of this kind."""
    chains = {"good": (PKI.good, PKI.client_ca), "foreign": (PKI.foreign,), "expired": (PKI.expired, PKI.client_ca)}
    if kind is not None:
        path = server.directory / f"{kind}.pem"
        path.write_bytes(certificate_pem(*chains[kind]) + key_pem(chains[kind][0]))
        options = ("--cert", str(path), *options)
    target = (
        "x.prove.test:" + str(server.port),
        "--connect",
        "127.0.0.1",
        "--trust",
        str(server.directory / "root.pem"),
    )
    ran = counterseal(server.directory / "no-ca", "handshake", *target, "--json", *options)
    assert ran.code == code, ran
    found: dict[str, Any] = json.loads(ran.stdout)["handshake"]
    return found


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_a_good_client_gets_in(server: Server, tls: str) -> None:
    """Every message is read, both chains are seen, and the server is known to insist on a certificate."""
    found = look(server, "good", "--tls", tls, code=0)
    names = [row["name"] for row in found["ladder"]]
    assert names[:2] == ["ClientHello", "ServerHello"]
    assert {"CertificateRequest", "Certificate", "CertificateVerify", "Finished"} <= set(names)
    assert not any("malformed" in row["fields"] or row["name"].startswith("message ") for row in found["ladder"])
    assert found["version"] == f"TLS {tls}"
    assert found["server_checks"]["valid"]
    assert found["client_certificates"]["mode"] == "required"
    assert "CN=Test Client CA" in found["client_certificates"]["accepted_authorities"]


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_a_client_without_certificate_is_told_that_one_is_required(server: Server, tls: str) -> None:
    """By an alert, which differs by server and version."""
    found = look(server, None, "--tls", tls, code=1 if tls == "1.2" else 3)
    assert found["ending"] == "alert", found["ladder"][-3:]
    assert found["diagnosis"]["cause"].startswith("the server requires a client certificate")
    assert found["client_certificates"]["mode"] == "required"


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("kind", ["foreign", "expired"])
def test_a_bad_client_is_told_why(server: Server, tls: str, kind: str) -> None:
    """The alert may say little; our own checks of the certificate say it."""
    found = look(server, kind, "--tls", tls, code=1 if tls == "1.2" else 3)
    assert found["diagnosis"] is not None, found["ladder"][-3:]
    failed = [check["code"] for check in found["client_checks"]["checks"] if check["outcome"] == "fail"]
    assert ("accepted_ca" if kind == "foreign" else "validity") in failed


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_a_second_handshake(server: Server, tls: str) -> None:
    """Who takes the session up asks for no certificate and shows none; OpenSSL and Go do."""
    found = look(server, "good", "--tls", tls, "--resume", code=0)["resumption"]
    if server.kind in {"openssl", "go"}:
        assert found["resumed"] is True
    if found.get("resumed"):
        assert not {row["name"] for row in found["ladder"]} & {"Certificate", "CertificateRequest", "CertificateVerify"}
