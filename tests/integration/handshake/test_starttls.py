"""STARTTLS with real servers: nginx's mail proxy for SMTP and IMAP, and PostgreSQL; each judges clients in its way."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from broken_setups import anchors, clients
from counterseal.handshake.examine import examine
from counterseal.handshake.explain.checks import Anchors
from counterseal.handshake.explain.explanation import explain
from counterseal.handshake.explain.ladder import Layer
from counterseal.handshake.explain.modes import Mode
from counterseal.handshake.observation import Endpoint
from counterseal.handshake.trace.dial import Dial, Ending, StartTLS
from foreign_servers import wait_for
from ports import free_port
from postgresql_process import Cluster, give, own
from prove_bench import ProveBench, nginx_binaries
from prove_pki import DOMAIN, identity_of, prove_pki

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.handshake.explain.explanation import Explanation
    from counterseal.handshake.observation import TLSVersion

HOST = f"panel.{DOMAIN}"
VERSIONS: list[TLSVersion] = ["1.2", "1.3"]
MODULE = Path("/usr/lib/nginx/modules/ngx_mail_module.so")
MAIL = """
daemon off; pid @DIR@/mail.pid; error_log @DIR@/mail.log info; @USER@
events { }
mail {
  server_name mx.prove.test; auth_http 127.0.0.1:1/; starttls on; ssl_protocols TLSv1.2 TLSv1.3;
  ssl_certificate @DIR@/server.fullchain.pem; ssl_certificate_key @DIR@/server.key.pem;
  ssl_client_certificate @DIR@/client-ca.pem; ssl_verify_depth 1; ssl_crl @DIR@/client-crl.pem;
  server { listen 127.0.0.1:@TLS@; protocol smtp; smtp_auth none; ssl_verify_client on; }
  server { listen 127.0.0.1:@TLS2@; protocol imap; ssl_verify_client on; }
  server { listen 127.0.0.1:@PLAIN@; protocol imap; ssl_verify_client optional; }
}
"""


def look(port: int, protocol: StartTLS, client: str | None, version: TLSVersion) -> Explanation:
    """Return what is said of a handshake behind STARTTLS."""
    identity = identity_of(client, *clients()[client]) if client else None
    what = Dial(
        Endpoint("127.0.0.1", port), HOST, HOST, tls_version=version, identity=identity, protocols=(),
        starttls=protocol, timeout=30,
    )  # fmt: skip
    found = explain(examine(what), name=HOST, anchors=Anchors(anchors()["root"]), at=datetime.now(UTC))
    assert found.server_diagnosis is None, found.server_diagnosis
    return found


def said(found: Explanation) -> list[str]:
    """Return what was said beside TLS, ours in angle brackets."""
    return [f"<{one.name}>" if one.sender == "client" else one.name for one in found.ladder if one.layer != Layer.TLS]


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProveBench]:
    """Run nginx as a mail proxy: SMTP and IMAP that want a client certificate, and IMAP that takes one."""
    with ProveBench(tmp_path_factory.mktemp("mail"), nginx_binaries()["system"]) as bench:
        bench.texts = {"nginx.conf": (f"load_module {MODULE};" if MODULE.exists() else "") + MAIL}
        bench.install(bench.pki.files(leaver_revoked=False))
        bench.start()
        yield bench


@pytest.mark.nginx
@pytest.mark.parametrize("version", VERSIONS)
def test_a_good_client_of_mail(mail: ProveBench, version: TLSVersion) -> None:
    """What is said in the clear, the handshake, and the first words within TLS; nobody else gets in."""
    smtp = look(mail.ports[0], StartTLS.SMTP, "good", version)
    assert said(smtp) == [
        "220 mx.prove.test ESMTP ready", "<EHLO counterseal.invalid>", "250-mx.prove.test", "250 STARTTLS",
        "<STARTTLS>", "220 2.0.0 Start TLS", "<EHLO>", "250 mx.prove.test",
    ]  # fmt: skip
    imap = look(mail.ports[1], StartTLS.IMAP, "good", version)
    assert said(imap)[:5] == ["* OK IMAP4 ready", "<a1 STARTTLS>", "a1 OK completed", "<CAPABILITY>", said(imap)[4]]
    assert said(imap)[4].startswith("* CAPABILITY IMAP4 ")
    for found in (smtp, imap):
        assert found.examination.main.trace.ending is Ending.DONE
        assert (found.mode, found.diagnosis) == (Mode.REQUIRED, None)


@pytest.mark.nginx
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("client", "words", "cause", "log"),
    [
        (None, "No required SSL certificate", "the client sent no certificate", "client sent no required SSL"),
        ("expired", "SSL certificate error", "is past its not_after", "(10:certificate has expired)"),
        ("foreign", "SSL certificate error", "above what the client sent is CN=Lone Root", "verify error: (21:"),
        ("a server", "SSL certificate error", "not made for clients", "verify error: (26:"),
        ("revoked", "SSL certificate error", "what is left is in its files, such as a CRL", "verify error"),
    ],
)
def test_the_mail_proxy_refuses_in_its_first_words(
    mail: ProveBench, client: str | None, words: str, cause: str, log: str, version: TLSVersion
) -> None:
    """The handshake succeeds; the true cause is named, and the line that nginx writes about it."""
    for port, protocol, start in ((mail.ports[0], StartTLS.SMTP, "421 4.7.1"), (mail.ports[1], StartTLS.IMAP, "* BYE")):
        found = look(port, protocol, client, version)
        assert found.mode is Mode.REQUIRED
        assert found.diagnosis is not None
        assert found.diagnosis.happened == f"the handshake succeeds, then the server answers: {start} {words}"
        assert cause in found.diagnosis.cause
        assert found.diagnosis.log is not None
        assert log in found.diagnosis.log.text
        lines = (mail.directory / "mail.log").read_text().splitlines()  # written before the answer
        assert any(found.diagnosis.log.text in line and "[info]" in line for line in lines)


@pytest.mark.nginx
def test_a_mail_proxy_that_takes_certificates_and_wants_none(mail: ProveBench) -> None:
    """Who has none gets the same answer; who has a bad one does not."""
    assert look(mail.ports[2], StartTLS.IMAP, "good", "1.3").mode is Mode.OPTIONAL
    bad = look(mail.ports[2], StartTLS.IMAP, "expired", "1.3")
    assert bad.mode is Mode.OPTIONAL
    assert bad.diagnosis is not None
    assert "is past its not_after" in bad.diagnosis.cause


HBA = """\
local all all trust
hostssl all "probe good" 127.0.0.1/32 cert
hostssl all "probe unlisted" 127.0.0.1/32 cert map=nobody
hostssl all "probe of another client CA" 127.0.0.1/32 reject
hostssl all all 127.0.0.1/32 trust clientcert=verify-full
"""
SETTINGS = """\
listen_addresses = '127.0.0.1'
port = {port}
ssl = on
ssl_cert_file = '{base}/server.fullchain.pem'
ssl_key_file = '{base}/server.key.pem'
ssl_ca_file = '{base}/client-ca.pem'
ssl_crl_file = '{base}/client-crl.pem'
hba_file = '{base}/pg_hba.conf'
lc_messages = 'C'
"""


@pytest.fixture(scope="module")
def postgresql() -> Iterator[int]:
    """Run a PostgreSQL that wants client certificates."""
    base, port = Path(tempfile.mkdtemp(prefix="counterseal-tls-")), free_port()
    own(base)
    for name, content in (prove_pki().files(leaver_revoked=False) | {"pg_hba.conf": HBA.encode()}).items():
        (base / name).write_bytes(content)
        (base / name).chmod(0o600)
        give(base / name)
    made = Cluster(base, settings=SETTINGS.format(port=port, base=base))
    try:
        wait_for(port)
        yield port
    finally:
        made.stop("immediate")
        shutil.rmtree(base)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_good_client_of_postgresql(postgresql: int, version: TLSVersion) -> None:
    """It asks as the user whom its certificate names, so that clientcert=verify-full and cert take it."""
    found = look(postgresql, StartTLS.POSTGRES, "good", version)
    assert said(found) == ["<SSLRequest>", "S", "<StartupMessage>", "AuthenticationOk"]
    assert (found.mode, found.diagnosis) == (Mode.REQUIRED, None)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("client", "happened", "cause"),
    [
        (None, "FATAL 28000: connection requires a valid client certificate", "pg_hba.conf that fits this connection"),
        ("unlisted", "certificate authentication failed", "the certificate is taken, and what pg_hba.conf wants"),
        ("of another client CA", "FATAL 28000: pg_hba.conf rejects connection", "no line of pg_hba.conf lets"),
        ("expired", "alert certificate_expired", "has expired"),
        ("foreign", "alert unknown_ca", "this one is of CN=Lone Root"),
        ("a server", "alert unsupported_certificate", "not made for clients"),
        ("revoked", "alert certificate_revoked", "is revoked"),
    ],
)
def test_postgresql_refuses_by_alert_or_by_message(
    postgresql: int, client: str | None, happened: str, cause: str, version: TLSVersion
) -> None:
    """OpenSSL judges the certificate, pg_hba.conf whether there must be one and whose."""
    found = look(postgresql, StartTLS.POSTGRES, client, version)
    assert found.mode is (Mode.ASKED if "rejects connection" in happened else Mode.REQUIRED)
    assert found.diagnosis is not None
    assert happened in found.diagnosis.happened
    assert cause in found.diagnosis.cause


@pytest.mark.nginx
def test_no_tls_behind_starttls(mail: ProveBench) -> None:
    """Who speaks another protocol, or another version, is told so."""
    other = look(mail.ports[0], StartTLS.IMAP, None, "1.3")
    assert other.diagnosis is not None
    assert "answers '220 mx.prove.test ESMTP ready' where '* OK' belongs" in other.diagnosis.happened
