"""Dangers that take more than an answer to be seen: what nginx tells, to whom, and what it tells nobody."""

from __future__ import annotations

import re
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from acme_dns import name_server
from counterseal.pki.subject import parse_subject
from integration.nginx.lab import authority, issue, key_pem, pem
from integration.nginx.responders import responder
from nginx_dangers import (
    ADMITTED,
    ANYBODY,
    BOB,
    REQUEST,
    Visit,
    ask,
    case_text,
    connect,
    danger_lab,
    running,
    s_client,
    with_applications,
)
from nginx_lint_lab import authorities, to_key, to_pem_file
from nginx_process import WITHIN, PrivateNginx, nginx_binary, private_nginx
from pki_fixtures import Issued, make_client
from ports import free_port
from whole_answers import read_octets, read_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["danger_lab", "nginx_binary", "private_nginx"]

pytestmark = pytest.mark.nginx


def test_a_key_among_the_client_cas_issues_clients(private_nginx: PrivateNginx, danger_lab: Path) -> None:
    """Whoever has read the file of CAs comes with a certificate that nobody issued; the good file has none to take."""
    ca = authorities().clients.certificate
    stolen = load_pem_private_key((danger_lab / "with-key.pem").read_bytes(), None)
    made = make_client(Issued(ca, stolen), "made-by-a-thief")  # type: ignore[arg-type] # of P-256
    (danger_lab / "thief.pem").write_bytes(to_pem_file(made) + ca.public_bytes(Encoding.PEM))
    (danger_lab / "thief.key").write_bytes(to_key(made))
    with pytest.raises(ValueError, match="PEM"):
        load_pem_private_key((danger_lab / "clients.pem").read_bytes(), None)
    with running(case("mtls-ca-file-contains-key"), private_nginx, danger_lab) as ports:
        assert ask(Visit("thief"), ports, danger_lab) == ADMITTED


@pytest.mark.parametrize(("code", "names"), [("mtls-ca-file-contains-leaf", 3), ("mtls-many-client-cas", 51)])
def test_names_of_cas_are_told_to_everybody(
    code: str, names: int, private_nginx: PrivateNginx, danger_lab: Path
) -> None:
    """All of them, in a handshake that grows by more than 15 octets for each; the good cases tell two."""
    told = {}
    for name in ("bad", "good"):
        with running(case(code, name), private_nginx, danger_lab) as ports:
            said = s_client(ports[8443])
        listed = re.search(r"Acceptable client certificate CA names\n(.*?)\nRequested", said, re.DOTALL)
        read = re.search(r"SSL handshake has read (\d+) bytes", said)
        assert listed
        assert read
        told[name] = (len(listed[1].splitlines()), int(read[1]))
    assert told["bad"][0] == names
    assert told["good"][0] == len(authorities()[2:4])
    assert told["bad"][1] - told["good"][1] > 15 * (names - 2)


def test_early_data_is_taken_again(private_nginx: PrivateNginx, danger_lab: Path) -> None:
    """The bad case answers a request of early data, and the same octets again, in the name of Bob; the good one not."""
    assert replayed("bad_resumed", private_nginx, danger_lab) == ["early"] * 2
    assert replayed("good_resumed", private_nginx, danger_lab) == ["late"] * 2


def replayed(name: str, nginx: PrivateNginx, lab: Path) -> list[str]:
    """Return which request is answered, twice: one of early data with Bob's session, or one after the handshake."""
    (lab / "early.request").write_text(REQUEST.replace("/", "/early", 1))
    bob = ("-cert", f"{lab}/bob.pem", "-key", f"{lab}/bob.key", "-sess_out", f"{nginx.base}/session")
    again = ("-sess_in", f"{nginx.base}/session", "-early_data", f"{lab}/early.request")
    late = REQUEST.replace("/", "/late", 1)
    with running(case("mtls-early-data", name), nginx, lab) as ports:
        s_client(ports[8443], *bob)
        said = "".join(s_client(ports[8443], *again, sent=late) for _ in range(2))
    return re.findall(r"CN=bob /(\w+)", said)


def test_a_refusal_is_written_nowhere(private_nginx: PrivateNginx, danger_lab: Path) -> None:
    """With the level that nginx has by itself, and by the name of the reason with level info."""
    for name, is_written in (("bad", False), ("bad_default", False), ("good", True)):
        private_nginx.forget_log()
        with running(case("mtls-verify-errors-invisible", name), private_nginx, danger_lab) as ports:
            assert ask(ANYBODY, ports, danger_lab) == "400"
        assert ("client sent no required SSL certificate" in private_nginx.log()) == is_written


def test_a_responder_has_a_name_that_nobody_resolves(
    private_nginx: PrivateNginx, danger_lab: Path, tmp_path: Path
) -> None:
    """The bad case locks out a client in good standing, whom the good one admits."""
    port = free_port()
    olga = issue(parse_subject("CN=olga"), ca="foreign", responder=f"http://ocsp.test:{port}/")
    files = {"olga.pem": pem(olga), "olga.key": key_pem(olga), "olga-ca.pem": pem(authority("foreign"))}
    for name, content in files.items():
        (danger_lab / name).write_bytes(content)
    with responder(tmp_path, "foreign", [olga], port=port), name_server() as names:
        for name, status in (("bad", "400"), ("good", ADMITTED)):
            text = case("mtls-ocsp-without-resolver", name).replace("clients.pem", "olga-ca.pem")
            text = text.replace("resolver 127.0.0.1", f"resolver {names.address} ipv6=off")
            with running(text, private_nginx, danger_lab) as ports:
                assert ask(Visit("olga"), ports, danger_lab) == status, private_nginx.log()
            assert ("no resolver defined to resolve ocsp.test" in private_nginx.log()) == (name == "bad")
            private_nginx.forget_log()


def test_a_client_speaks_tls_1_0(private_nginx: PrivateNginx, danger_lab: Path) -> None:
    """With the bad case nginx does, too; Python's own client warns of it."""
    for name, is_answered in (("bad_ciphers", True), ("good", False)):
        with running(case("tls-legacy-protocols", name), private_nginx, danger_lab) as ports:
            said = s_client(ports[8443], "-tls1", "-cipher", "DEFAULT:@SECLEVEL=0")
        assert ("HTTP/1.1 200" in said) == is_answered


def test_a_response_that_is_demanded_does_not_come(private_nginx: PrivateNginx, danger_lab: Path) -> None:
    """And nginx starts all the same; with the good case the response is there."""
    for name, said in (("bad", "no response sent"), ("bad_off", "no response sent"), ("good", "Cert Status: good")):
        with running(case("tls-must-staple-off", name), private_nginx, danger_lab) as ports:
            assert said in s_client(ports[8443], "-status")


def test_an_identity_goes_over_the_wire_in_the_clear(private_nginx: PrivateNginx, danger_lab: Path) -> None:
    """To another machine, which is 127.0.0.5 here; the good case speaks TLS to it."""
    with on_the_wire("bad", BOB, 9000, private_nginx, danger_lab) as wire:
        assert b"X-SSL-Client-S-DN: CN=bob\r\n" in read_until(wire, b"\r\n\r\n")
    with on_the_wire("good", BOB._replace(path="/b/"), 9443, private_nginx, danger_lab) as wire:
        assert read_octets(wire, 2) == b"\x16\x03"


@contextmanager
def on_the_wire(name: str, visit: Visit, port: int, nginx: PrivateNginx, lab: Path) -> Iterator[socket.socket]:
    """Yield the connection that nginx makes to the other machine when a client visits."""
    text = case("up-plain-http", name).replace("192.0.2.", "127.0.0.")
    with running(text, nginx, lab) as ports, socket.create_server(("127.0.0.5", ports[port])) as machine:
        machine.settimeout(WITHIN)
        client = connect(visit, ports[visit.port], lab)
        client.request("GET", visit.path, headers={"Host": visit.host})
        wire, _ = machine.accept()
        with wire:
            wire.settimeout(WITHIN)
            yield wire
        client.close()


def case(code: str, name: str = "bad") -> str:
    """Return a case with its applications."""
    return with_applications(case_text(code, name))
