"""Every server refuses a client in a way of its own; the explanation is the same, and it is the true one."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from broken_setups import clients
from foreign_servers import PROGRAMS, serving, write_files
from meeting import coming_with, meet, trusting
from prove_pki import prove_pki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.handshake.observation import TLSVersion

PKI = prove_pki()
VERSIONS: list[TLSVersion] = ["1.2", "1.3"]
_EVERYBODY = frozenset(PROGRAMS)


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


def look(server: Server, client: str | None, *options: str, name: str = "x.prove.test") -> dict[str, Any]:
    """Return what the command says of a handshake with the server as this client, and see that its exit code fits."""
    who = coming_with(server.directory, clients()[client] if client else None)
    target = (f"{name}:{server.port}", "--connect", "127.0.0.1", *trusting(server.directory, "root"))
    met = meet(server.directory, *target, *who, *options)
    checks = (met.found["server_checks"], met.found["client_checks"])
    all_well = not met.failures and all(one is None or one["valid"] for one in checks)
    assert met.code == (0 if all_well else 3 if met.found["server_checks"] else 1), met
    return met.found


@pytest.mark.parametrize("tls", VERSIONS)
def test_a_good_client_gets_in(server: Server, tls: TLSVersion) -> None:
    """Every message is read, both chains are seen, and the server is known to insist on a certificate."""
    found = look(server, "good", "--tls", tls)
    names = [row["name"] for row in found["ladder"]]
    assert names[:2] == ["ClientHello", "ServerHello"]
    assert {"CertificateRequest", "Certificate", "CertificateVerify", "Finished"} <= set(names)
    assert not any("malformed" in row["fields"] or row["name"].startswith("message ") for row in found["ladder"])
    assert found["version"] == f"TLS {tls}"
    assert found["server_checks"]["valid"]
    assert (found["diagnosis"], found["server_diagnosis"]) == (None, None)
    assert found["client_certificates"]["mode"] == "required"
    assert "CN=Test Client CA" in found["client_certificates"]["accepted_authorities"]


@pytest.mark.parametrize("tls", VERSIONS)
def test_a_client_without_certificate_is_told_that_one_is_required(server: Server, tls: TLSVersion) -> None:
    """By an alert, which differs by server and version."""
    found = look(server, None, "--tls", tls)
    assert found["ending"] == "alert", found["ladder"][-3:]
    assert found["diagnosis"]["cause"].startswith("the server requires a client certificate")
    assert found["diagnosis"]["fix"].startswith("come with a certificate of one of the accepted CAs")
    assert found["client_certificates"]["mode"] == "required"


BAD = {
    "expired": ("has expired", "renew what has expired", _EVERYBODY),
    "not yet valid": ("is not yet valid", "set both clocks", _EVERYBODY),
    "foreign": ("; this one is of CN=Lone Root", "its whole chain", _EVERYBODY),
    "self-signed": ("this one is of CN=probe by itself", "of a CA that the server names", _EVERYBODY),
    "a server": ("not made for clients", "of the client profile", _EVERYBODY - {"gnutls"}),
    "no digitalSignature": ("without digitalSignature", "of the client profile", _EVERYBODY - {"go"}),
    "any usage only": ("anyExtendedKeyUsage alone", "of the client profile", frozenset({"openssl", "node"})),
    "forged": ("was not signed by the CA it names", "issue it anew", _EVERYBODY),
    "below a client": ("issued by one that is no CA", "issue it from a CA", _EVERYBODY),
    "below a sub CA": ("more CAs below it than its pathLenConstraint", "fitting path length", _EVERYBODY - {"java"}),
    "of a CA to come": ("fails a check: dates", "look at the checks of the client", frozenset({"gnutls"})),
    "revoked": ("is revoked", "issue the client a new certificate", frozenset({"openssl"})),
}  # fmt: skip
"""Clients by name: words of the true cause, words of what mends it, and which of the servers refuse them."""
IN_NGINX_WORDS = {
    "expired": ("past its not_after", "renew the certificate that expired"),
    "not yet valid": ("begins in the future", "set the clock"),
    "foreign": ("above what the client sent is CN=Lone Root", "of a CA that the server names"),
    "self-signed": ("above what the client sent is CN=probe by itself", "of a CA that the server names"),
}  # fmt: skip
"""Of Node in TLS 1.3, which closes behind the handshake without a word, as nginx's stream block does."""


@pytest.mark.parametrize("tls", VERSIONS)
@pytest.mark.parametrize("client", BAD)
def test_a_bad_client_is_told_the_true_cause(server: Server, tls: TLSVersion, client: str) -> None:
    """Whatever alert comes, or none; who is let in by this server is told of no failure."""
    cause, fix, by = BAD[client]
    found = look(server, client, "--tls", tls)
    diagnosis = found["diagnosis"]
    assert found["client_certificates"]["mode"] == "required"
    if (server.kind, tls) == ("node", "1.3"):
        cause, fix = IN_NGINX_WORDS.get(client, (cause, fix))
    if (server.kind, client) == ("gnutls", "revoked"):  # its alert does not say so, and nobody outside can know
        cause, fix, by = "list of revoked ones", "read the server's log", _EVERYBODY
    if server.kind not in by:
        assert diagnosis is None
        return
    assert cause in diagnosis["cause"], diagnosis
    assert fix in diagnosis["fix"], diagnosis
    assert found["server_diagnosis"] is None


def test_a_name_that_the_certificate_does_not_have(server: Server) -> None:
    """What the server thinks of the name in the SNI is its own affair; a client looks at the certificate."""
    found = look(server, "good", name="panel.elsewhere.test")
    assert "does not cover the site's name" in found["server_diagnosis"]["cause"]
    assert "subject alternative name" in found["server_diagnosis"]["fix"]


@pytest.mark.parametrize("tls", VERSIONS)
def test_a_second_handshake_is_abbreviated(server: Server, tls: TLSVersion) -> None:
    """Who takes the session up asks for no certificate and shows none, and all of them do."""
    found = look(server, "good", "--tls", tls, "--resume")["resumption"]
    assert found["resumed"] is True
    assert found["meaning"].startswith("the server took the session up")
    rows = {row["name"]: row for row in found["ladder"]}
    assert not rows.keys() & {"Certificate", "CertificateRequest", "CertificateVerify", "ServerKeyExchange"}
    assert "takes up an earlier session" in rows["ServerHello"]["meaning"]
    assert (rows["ServerHello"]["fields"].get("session") == "resumed by pre-shared key 0") is (tls == "1.3")


@pytest.fixture(scope="module", params=list(PROGRAMS))
def broken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """Start one with an expired certificate and no common suite in TLS 1.2, and one that speaks TLS 1.2 alone."""
    kind, directory = request.param, tmp_path_factory.mktemp(request.param)
    if shutil.which(PROGRAMS[kind]) is None:
        pytest.skip(f"{PROGRAMS[kind]} is not installed: scripts/setup.sh all")
    write_files(directory, PKI, PKI.variants["server-expired"][0])
    with serving(kind, directory, "narrow") as narrow, serving(kind, directory, "old") as old:
        yield Server(kind, directory, narrow), Server(kind, directory, old)


def test_what_is_wrong_on_the_servers_side(broken: tuple[Server, Server]) -> None:
    """No common suite, no common version, an expired certificate: each by its own cause."""
    narrow, old = broken
    suites = look(narrow, "good", "--tls", "1.2")["diagnosis"]
    assert suites["cause"].startswith("the server takes nothing of TLS 1.2, not with all ")
    assert suites["fix"].startswith("leave out --tls; or let the server speak TLS 1.2, with suites for its kind of key")
    version = look(old, "good", "--tls", "1.3")["diagnosis"]
    assert "TLS version is not offered" in version["cause"] or "it answers in TLS 1.2" in version["cause"]
    assert version["fix"].startswith(("let the server offer it", "leave out --tls"))
    for server in broken:
        found = look(server, "good")
        assert "has expired" in found["server_diagnosis"]["cause"]
        assert found["diagnosis"] is None
