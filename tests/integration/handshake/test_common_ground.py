"""Which list of the ClientHello has nothing in common, told against real servers and odd ones.

What nginx is set to is among the broken set-ups. Here the client's own host leaves out what is usual, other servers
than nginx answer, and a peer of which nothing can be told is not blamed.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from broken_sites import Edit
from captured import captured_case
from command import counterseal
from counterseal.handshake.common_ground import Lack, Shortage, find_lack
from counterseal.handshake.examine import examine, watch
from counterseal.handshake.explain.nginx_log import LogHint
from counterseal.handshake.observation import Endpoint
from counterseal.handshake.records import record_of
from counterseal.handshake.trace.dial import Dial, Ending, StartTLS
from counterseal.handshake.wire.decode import HANDSHAKE
from counterseal.handshake.wire.hello import client_hello
from counterseal.handshake.wire.reader import Reader
from foreign_servers import gnutls_serving, openssl_serving, write_files
from meeting import PATIENCE
from odd_servers import answering, serving, until_left
from prove_bench import ProveBench, nginx_binaries, wait_for_line
from prove_pki import prove_pki

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from counterseal.handshake.observation import TLSVersion

REFUSED = b"\x15\x03\x03\x00\x02\x02\x28"  # handshake_failure
NO_ECDSA = "SignatureAlgorithms = ed25519:rsa_pss_rsae_sha256"
RETRIED = "Groups = P-384:X25519\nSignatureAlgorithms = "
POLICY = "openssl_conf=a\n[a]\nssl_conf=b\n[b]\nsystem_default=c\n[c]\n"


def look(endpoint: Endpoint, *, tls: TLSVersion | None = None) -> Lack | None:
    """Return what is found lacking."""
    return examine(Dial(endpoint, "panel.test", "panel.test", tls_version=tls, timeout=30)).lack


@pytest.mark.parametrize(
    ("policy", "tls", "of", "takes"),
    [
        ("Groups = X448", "1.2", Shortage.GROUPS, "x25519"),
        ("Groups = X448", "1.3", Shortage.GROUPS, "x25519"),
        (NO_ECDSA, "1.2", Shortage.SIGNATURE_ALGORITHMS, "ecdsa_secp256r1_sha256"),
        (NO_ECDSA, "1.3", Shortage.SIGNATURE_ALGORITHMS, "ecdsa_secp256r1_sha256"),
        (f"{RETRIED}ed25519", "1.3", Shortage.SIGNATURE_ALGORITHMS, None),
        (f"{RETRIED}rsa_pss_rsae_sha256", "1.3", Shortage.SIGNATURE_ALGORITHMS, None),
    ],
)  # fmt: skip
def test_the_clients_own_host_leaves_out_what_is_usual(
    policy: str, tls: str, of: Shortage, takes: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a system's policy for cryptography may; the last two are asked for another key share."""
    write_files(tmp_path, prove_pki())
    (tmp_path / "openssl.cnf").write_text(POLICY + policy + "\n")
    files = ("-cert", "server.pem", "-key", "server.key", "-www")
    with openssl_serving(tmp_path, *files, "-groups", "X25519") as port:
        monkeypatch.setenv("OPENSSL_CONF", str(tmp_path / "openssl.cnf"))  # for the client alone
        ran = counterseal(tmp_path / "no-ca", "handshake", f"127.0.0.1:{port}", "--tls", tls, *PATIENCE, "--json")
    found = json.loads(ran.stdout)["handshake"]
    assert (found["lack"]["of"], found["lack"]["takes"]) == (of.value, takes)
    assert found["lack"]["offered"]
    assert ran.code == 1
    assert "in common" in found["diagnosis"]["cause"]


@pytest.mark.nginx
@pytest.mark.parametrize("binary", nginx_binaries().values(), ids=nginx_binaries())
def test_nginx_writes_the_line_that_is_named(binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In TLS 1.3 each list has one of its own; what nginx itself is set to is among the broken set-ups."""
    with ProveBench(tmp_path, binary) as bench:
        groups = Edit(r"map_hash_bucket", r"ssl_ecdh_curve X25519; \g<0>", everywhere=True)
        bench.texts[groups.file] = groups.apply(bench.texts[groups.file], "panel")
        bench.install(bench.pki.files(leaver_revoked=False))
        bench.start()
        monkeypatch.setenv("OPENSSL_CONF", str(tmp_path / "openssl.cnf"))
        for policy, of in (("Groups = X448", Shortage.GROUPS), (NO_ECDSA, Shortage.SIGNATURE_ALGORITHMS)):
            (tmp_path / "openssl.cnf").write_text(POLICY + policy + "\n")
            place = ("--connect", f"127.0.0.1:{bench.ports[0]}", "--tls", "1.3", *PATIENCE)
            ran = counterseal(tmp_path / "no-ca", "handshake", "panel.prove.test", *place, "--json")
            found = json.loads(ran.stdout)["handshake"]
            assert found["lack"]["of"] == of
            assert "openssl.cnf of this host" in found["diagnosis"]["fix"]
            wait_for_line(tmp_path / "error.log", LogHint(**found["diagnosis"]["log"]))


@pytest.mark.parametrize(
    ("priority", "tls", "lack"),
    [
        ("NORMAL:-CIPHER-ALL:+AES-128-CCM", "1.2", (Shortage.CIPHER_SUITES, 0xC0AC)),
        ("NORMAL:-CIPHER-ALL:+AES-128-CCM", "1.3", (Shortage.CIPHER_SUITES, 0x1304)),
        ("NORMAL:-SIGN-ALL:+SIGN-ECDSA-SHA1", "1.2", (Shortage.SIGNATURE_ALGORITHMS, 0x0203)),
        ("NORMAL:-VERS-TLS1.3", "1.3", (Shortage.OTHER_VERSION, 0x0303)),
        ("NORMAL:-CIPHER-ALL:+CAMELLIA-128-GCM:-VERS-TLS1.3:-ECDHE-ECDSA", "1.2", (Shortage.NOWHERE, None)),
    ],
)
def test_gnutls(priority: str, tls: TLSVersion, lack: tuple[Shortage, int | None], tmp_path: Path) -> None:
    """Another library says handshake_failure to all of it, too."""
    write_files(tmp_path, prove_pki())
    with gnutls_serving(tmp_path, priority) as port:
        found = look(Endpoint("127.0.0.1", port), tls=tls)
    assert found is not None
    assert (found.of, found.takes) == lack


def cutting(connection: socket.socket) -> None:
    """Answer, as Windows does not, only a ClientHello with a suite that no client offers; cut every other one."""
    octets = connection.recv(65536)
    if octets[0] != HANDSHAKE:  # a PROXY header is tried first
        return
    if 0x1304 in client_hello(Reader(octets[9:])).cipher_suites:
        answer = next(one.octets for one in captured_case("nginx-1.3-mutual") if one.octets[:1] == b"\x02")
        suite = 4 + 2 + 32 + 1 + answer[38]
        connection.sendall(record_of(answer[:suite] + b"\x13\x04" + answer[suite + 2 :]))


def test_a_server_that_cuts_the_connection_in_place_of_an_alert() -> None:
    """It answers once the right thing is offered, so that was it."""
    with serving(cutting) as endpoint:
        found = look(endpoint)
    assert found is not None
    assert (found.of, found.takes) == (Shortage.CIPHER_SUITES, 0x1304)


def test_behind_starttls() -> None:
    """Each further ClientHello is led to by the same words in the clear."""

    def mail(connection: socket.socket) -> None:
        connection.sendall(b"220 mail.test ESMTP\r\n")
        for answer in (b"250-mail.test\r\n250 STARTTLS\r\n", b"220 go ahead\r\n"):
            connection.recv(65536)
            connection.sendall(answer)
        cutting(connection)

    with serving(mail) as endpoint:
        found = examine(Dial(endpoint, "mail.test", "mail.test", starttls=StartTLS.SMTP, timeout=30)).lack
    assert found is not None
    assert (found.of, found.takes) == (Shortage.CIPHER_SUITES, 0x1304)


def test_who_refuses_everything_is_told_so_and_who_only_leaves_is_not_blamed() -> None:
    """An alert for whatever comes; nothing at all."""
    with serving(answering(REFUSED)) as endpoint:
        assert look(endpoint) == Lack(Shortage.NOWHERE)
    with serving(answering()) as endpoint:
        assert look(endpoint) is None


@pytest.mark.parametrize(("then", "timeout"), [(until_left, 0.2), (lambda _: None, 30)], ids=["silent", "cut"])
def test_no_answer_behind_the_first_alert(then: Callable[[socket.socket], None], timeout: float) -> None:
    """Silence ends with the time; a connection cut now was cut for another reason. Neither tells anything."""
    asked: list[bytes] = []

    def once(connection: socket.socket) -> None:
        asked.append(connection.recv(65536))
        if len(asked) == 1:
            connection.sendall(REFUSED)
        else:
            then(connection)

    with serving(once) as endpoint:
        what = Dial(endpoint, "panel.test", "panel.test", timeout=30)
        main = watch(what)
        hurried = replace(what, timeout=timeout)
        assert find_lack(hurried, main.trace, main.story.offered, retried=False) is None
    assert main.trace.ending is Ending.ALERT
