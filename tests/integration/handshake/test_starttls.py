"""STARTTLS with real servers: nginx's mail proxy, and PostgreSQL; each judges clients in its way."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from broken_setups import clients
from foreign_servers import wait_for
from meeting import Met, coming_with, meet, trusting
from ports import free_port
from postgresql_process import Cluster, give, own
from prove_bench import ProveBench, nginx_binaries
from prove_pki import DOMAIN, prove_pki

if TYPE_CHECKING:
    from collections.abc import Iterator

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
  server { listen 127.0.0.1:@PLAIN@; protocol pop3; ssl_verify_client optional; }
}
"""


def look(path: Path, port: int, protocol: str, client: str | None, version: TLSVersion) -> Met:
    """Return what the command says of a handshake behind STARTTLS."""
    who = (*coming_with(path, clients()[client] if client else None), *trusting(path, "root"))
    met = meet(path, f"{HOST}:{port}", "--connect", "127.0.0.1", "--starttls", protocol, "--tls", version, *who)
    assert met.found["server_diagnosis"] is None, met
    return met


def said(met: Met) -> list[str]:
    """Return what was said beside TLS, ours in angle brackets."""
    lines = [(one["sender"], one["name"]) for one in met.found["ladder"] if one["layer"] != "tls"]
    return [f"<{line}>" if sender == "client" else line for sender, line in lines]


def mode_of(met: Met) -> str:
    """Return how the server treats client certificates."""
    return str(met.found["client_certificates"]["mode"])


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProveBench]:
    """Run nginx as a mail proxy: SMTP and IMAP that want a client certificate, and POP3 that takes one."""
    with ProveBench(tmp_path_factory.mktemp("mail"), nginx_binaries()["system"]) as bench:
        bench.texts = {"nginx.conf": (f"load_module {MODULE};" if MODULE.exists() else "") + MAIL}
        bench.install(bench.pki.files(leaver_revoked=False))
        bench.start()
        yield bench


@pytest.mark.nginx
@pytest.mark.parametrize("version", VERSIONS)
def test_a_good_client_of_mail(mail: ProveBench, version: TLSVersion, tmp_path: Path) -> None:
    """What is said in the clear, the handshake, and the first words within TLS; nobody else gets in."""
    smtp = look(tmp_path, mail.ports[0], "smtp", "good", version)
    assert said(smtp) == [
        "220 mx.prove.test ESMTP ready", "<EHLO counterseal.invalid>", "250-mx.prove.test", "250 STARTTLS",
        "<STARTTLS>", "220 2.0.0 Start TLS", "<EHLO>", "250 mx.prove.test",
    ]  # fmt: skip
    imap = look(tmp_path, mail.ports[1], "imap", "good", version)
    assert said(imap)[:5] == ["* OK IMAP4 ready", "<a1 STARTTLS>", "a1 OK completed", "<CAPABILITY>", said(imap)[4]]
    assert said(imap)[4].startswith("* CAPABILITY IMAP4 ")
    for found in (smtp, imap):
        assert (found.code, found.found["ending"]) == (0, "done")
        assert (mode_of(found), found.found["diagnosis"]) == ("required", None)


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
    mail: ProveBench, client: str | None, words: str, cause: str, log: str, version: TLSVersion, tmp_path: Path
) -> None:
    """The handshake succeeds; the true cause is named, and the line that nginx writes about it."""
    for port, protocol, start in ((mail.ports[0], "smtp", "421 4.7.1"), (mail.ports[1], "imap", "* BYE")):
        met = look(tmp_path, port, protocol, client, version)
        assert (met.code, mode_of(met)) == (3, "required")
        failure = met.found["diagnosis"]
        assert failure["happened"] == f"the handshake succeeds, then the server answers: {start} {words}"
        assert cause in failure["cause"]
        assert log in failure["log"]["text"]
        lines = (mail.directory / "mail.log").read_text().splitlines()  # written before the answer
        assert any(failure["log"]["text"] in line and "[info]" in line for line in lines)


@pytest.mark.nginx
def test_a_mail_proxy_that_takes_certificates_and_wants_none(mail: ProveBench, tmp_path: Path) -> None:
    """Who has none gets the same answer; who has a bad one does not."""
    good = look(tmp_path, mail.ports[2], "pop3", "good", "1.3")
    assert said(good)[1:] == ["<STLS>", "+OK", "<CAPA>", "+OK Capability list follows"]
    assert (good.code, mode_of(good)) == (0, "optional")
    bad = look(tmp_path, mail.ports[2], "pop3", "expired", "1.3")
    assert (bad.code, mode_of(bad)) == (3, "optional")
    assert (
        bad.found["diagnosis"]["happened"]
        == "the handshake succeeds, then the server answers: -ERR SSL certificate error"
    )
    assert "is past its not_after" in bad.found["diagnosis"]["cause"]


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
def test_a_good_client_of_postgresql(postgresql: int, version: TLSVersion, tmp_path: Path) -> None:
    """It asks as the user whom its certificate names, so that clientcert=verify-full and cert take it."""
    met = look(tmp_path, postgresql, "postgres", "good", version)
    assert said(met) == ["<SSLRequest>", "S", "<StartupMessage>", "AuthenticationOk"]
    assert (met.code, mode_of(met), met.found["diagnosis"]) == (0, "required", None)


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
    postgresql: int, client: str | None, happened: str, cause: str, version: TLSVersion, tmp_path: Path
) -> None:
    """OpenSSL judges the certificate, pg_hba.conf whether there must be one and whose."""
    met = look(tmp_path, postgresql, "postgres", client, version)
    assert (met.code, mode_of(met)) == (3, "asked" if "rejects connection" in happened else "required")
    assert happened in met.found["diagnosis"]["happened"]
    assert cause in met.found["diagnosis"]["cause"]


@pytest.mark.nginx
def test_no_tls_behind_starttls(mail: ProveBench, tmp_path: Path) -> None:
    """Who speaks another protocol, or another version, is told so."""
    other = look(tmp_path, mail.ports[0], "imap", None, "1.3")
    assert other.code == 1
    happened = other.found["diagnosis"]["happened"]
    assert "answers '220 mx.prove.test ESMTP ready' where '* OK' belongs" in happened
