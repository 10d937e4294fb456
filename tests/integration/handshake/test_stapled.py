"""A certificate that demands a stapled OCSP response: whether one comes is asked of the real servers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from broken_setups import anchors
from broken_sites import Edit
from counterseal.handshake.examine import examine
from counterseal.handshake.explain.checks import Anchors
from counterseal.handshake.explain.explanation import explain
from counterseal.handshake.observation import Endpoint
from counterseal.handshake.stapled import look_for_response
from counterseal.handshake.trace.dial import Dial, StartTLS
from counterseal.pki.path.check import Check, Outcome
from foreign_servers import openssl_serving
from odd_servers import answering, serving
from pki_fixtures import remade
from prove_bench import ProveBench, nginx_binaries
from prove_pki import DOMAIN, SERVER_CHAIN_FILE, certificate_pem, key_pem, prove_pki
from stapling import response

if TYPE_CHECKING:
    from pathlib import Path

    from pki_fixtures import Issued

PKI = prove_pki()
HOST = f"panel.{DOMAIN}"


@cache
def demanding() -> Issued:
    """Return the server's certificate with the demand in it (RFC 7633)."""
    return remade(PKI.server, PKI.server_ca, add=(x509.TLSFeature([x509.TLSFeatureType.status_request]),))


def look(port: int) -> Check | None:
    """Return what is said of the demand."""
    what = Dial(Endpoint("127.0.0.1", port), HOST, HOST, timeout=30)
    explained = explain(examine(what), name=HOST, anchors=Anchors(anchors()["root"]), at=datetime.now(UTC))
    assert explained.server_checks is not None
    assert explained.server_checks.valid, explained.server_checks.failures
    return next((one for one in explained.server_checks.checks if one.kind.code == "must_staple"), None)


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        (("-status_file", "response.der"), Outcome.PASS),
        ((), Outcome.WARN),
        (("-status_file", "response.der", "-tls1_3"), Outcome.PASS),
        (("-status_file", "stale.der"), Outcome.WARN),
        (("-tls1_3",), Outcome.WARN),
        (("-status_file", "response.der", "-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"), Outcome.PASS),
        (("-status_file", "response.der", "-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"), Outcome.PASS),
        (("-status_file", "response.der", "-tls1_3", "-groups", "P-256"), Outcome.PASS),
    ],
)
def test_whether_a_response_comes(options: tuple[str, ...], outcome: Outcome, tmp_path: Path) -> None:
    """Passed where a good one does, a warning where none or an old one does."""
    (tmp_path / "server.pem").write_bytes(certificate_pem(demanding(), PKI.server_ca) + key_pem(demanding()))
    (tmp_path / "response.der").write_bytes(response(demanding(), PKI.server_ca))
    (tmp_path / "stale.der").write_bytes(response(demanding(), PKI.server_ca, age=timedelta(days=3)))
    files = ("-cert", "server.pem", "-cert_chain", "server.pem", "-www")
    with openssl_serving(tmp_path, *files, *options) as port:
        found = look(port)
    assert found is not None
    assert found.outcome is outcome
    assert (found.fix is None) == (outcome is Outcome.PASS), found


@pytest.mark.nginx
@pytest.mark.parametrize("binary", nginx_binaries().values(), ids=nginx_binaries())
def test_nginx_with_a_file(binary: Path, tmp_path: Path) -> None:
    """What the fix says of ssl_stapling_file is so; and without the demand nobody is asked."""
    with ProveBench(tmp_path, binary) as bench:
        stapling = Edit(
            r"map_hash_bucket", r"ssl_stapling on; ssl_stapling_file @DIR@/response.der; \g<0>", everywhere=True
        )
        bench.texts[stapling.file] = stapling.apply(bench.texts[stapling.file], "panel")
        own = {
            SERVER_CHAIN_FILE: certificate_pem(demanding(), PKI.server_ca),
            "response.der": response(demanding(), PKI.server_ca),
        }
        bench.install(bench.pki.files(leaver_revoked=False) | own)
        bench.start()
        found = look(bench.ports[0])
        assert found is not None
        assert found.outcome is Outcome.PASS
        bench.install(bench.pki.files(leaver_revoked=False))
        bench.reload()
        assert look(bench.ports[0]) is None


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"\x15\x03\x03\x00\x02\x02\x46",  # an alert
        b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03",  # half a ServerHello
        b"\x16\x03\x03\x00\x00" * 8,
        b"",
    ],
)
def test_who_says_something_else_has_not_told(answer: bytes) -> None:
    """And nothing is raised."""
    with serving(answering(answer)) as endpoint:
        assert look_for_response(Dial(endpoint, HOST, HOST, timeout=30)) is None


def test_nobody_is_asked_after_starttls() -> None:
    """Not even connected to."""
    assert look_for_response(Dial(Endpoint("nobody.invalid", 1), HOST, HOST, starttls=StartTLS.SMTP)) is None
