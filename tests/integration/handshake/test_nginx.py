"""Handshakes with both real nginx: the ladder, the mode, and the cause of every refusal, with nginx's own log line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from broken_sites import Edit
from command import counterseal, here
from ports import free_ports
from prove_bench import ProveBench, nginx_binaries
from prove_pki import certificate_pem, key_pem

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.nginx


@pytest.fixture(scope="module", params=list(nginx_binaries()))
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProveBench]:
    """Serve the sites of the proof."""
    with ProveBench(tmp_path_factory.mktemp("nginx"), nginx_binaries()[request.param]) as started:
        started.install(started.pki.files(leaver_revoked=False))
        (started.directory / "root.pem").write_bytes(certificate_pem(started.pki.root))
        started.start()
        yield started


def identity(bench: ProveBench, kind: str) -> Path:
    """Write a client's chain and key into one file."""
    pki = bench.pki
    chain = {
        "good": (pki.good, pki.client_ca),
        "expired": (pki.expired, pki.client_ca),
        "foreign": (pki.foreign,),
        "server": (pki.server, pki.server_ca),
        "revoked": (pki.revoked, pki.client_ca),
    }[kind]
    path = bench.directory / f"{kind}.pem"
    path.write_bytes(certificate_pem(*chain) + key_pem(chain[0]))
    path.chmod(0o600)
    return path


def look(bench: ProveBench, site: str, *options: str, code: int = 0) -> dict[str, Any]:
    """Run the command against a site of the bench, and return what ``--json`` says."""
    target = f"{site}.prove.test:{bench.ports[0]}"
    trust = () if "--trust" in options else ("--trust", str(bench.directory / "root.pem"))
    where = ("--connect", "127.0.0.1", "--json", *trust, *options)
    ran = here(bench.directory / "no-ca", "handshake", target, *where)
    assert ran.code == code, ran
    document = json.loads(ran.stdout)
    assert document["version"] == 1
    found: dict[str, Any] = document["handshake"]
    return found


def names(found: dict[str, Any]) -> list[str]:
    """Return the ladder as names, the client's in lower case."""
    return [row["name"].lower() if row["sender"] == "client" else row["name"] for row in found["ladder"]]


def test_a_mutual_handshake_of_tls_13(bench: ProveBench) -> None:
    """Every message in its order; nginx hands out no tickets that could be resumed here."""
    found = look(bench, "panel", "--cert", str(identity(bench, "good")), "--tls", "1.3")
    assert names(found)[:13] == [
        "clienthello", "ServerHello", "ChangeCipherSpec", "EncryptedExtensions", "CertificateRequest", "Certificate",
        "CertificateVerify", "Finished", "changecipherspec", "certificate", "certificateverify", "finished", "get /",
    ]  # fmt: skip
    assert "HTTP 200 OK" in names(found)
    assert found["version"] == "TLS 1.3"
    assert found["client_certificates"]["mode"] == "required"
    assert found["client_certificates"]["accepted_authorities"] == ["CN=Test Root", "CN=Test Client CA"]
    assert found["diagnosis"] is None


def test_a_mutual_handshake_of_tls_12(bench: ProveBench) -> None:
    """The key exchange shows as messages of its own."""
    found = look(bench, "panel", "--cert", str(identity(bench, "good")), "--tls", "1.2")
    assert names(found)[:14] == [
        "clienthello", "ServerHello", "Certificate", "ServerKeyExchange", "CertificateRequest", "ServerHelloDone",
        "certificate", "clientkeyexchange", "certificateverify", "changecipherspec", "finished",
        "ChangeCipherSpec", "Finished", "get /",
    ]  # fmt: skip
    assert [row["encrypted"] for row in found["ladder"] if row["name"] == "Finished"] == [True, True]
    assert found["keys"]["forward_secret"] is True


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize(
    ("kind", "code", "number", "words"),
    [
        (None, 496, None, "sent no certificate"),
        ("expired", 495, 10, "past its not_after"),
        ("foreign", 495, 21, "another CA's file is there"),
        ("server", 495, 26, "not made for clients"),
        ("revoked", 495, 23, "on a CRL"),
    ],
)
def test_a_refusal_is_explained_and_its_log_line_is_there(
    bench: ProveBench, tls: str, kind: str | None, code: int, number: int | None, words: str
) -> None:
    """The line that the explanation names stands in nginx's error log, at the level it says."""
    log = bench.directory / "error.log"
    before = log.stat().st_size
    options = ["--cert", str(identity(bench, kind))] if kind else []
    found = look(bench, "panel", "--tls", tls, *options, code=3)["diagnosis"]
    assert found["code"] == code
    assert words in found["cause"]
    assert found["fix"]
    assert number is None or f"({number}:" in found["log"]["text"]
    written = log.read_bytes()[before:].decode()
    assert any(found["log"]["text"] in line and f"[{found['log']['level']}]" in line for line in written.splitlines())


@pytest.mark.parametrize(
    ("site", "paths", "mode"),
    [
        ("panel", ["/"], "required"),
        ("other", ["/"], "one-way"),
        ("mixed", ["/"], "optional"),
        ("mixed", ["/", "/admin/"], "some-paths"),
    ],
)
def test_how_a_site_treats_its_clients(bench: ProveBench, site: str, paths: list[str], mode: str) -> None:
    """Required, nobody asked, optional, and by the path."""
    options = [option for path in paths for option in ("--path", path)]
    found = look(bench, site, "--cert", str(identity(bench, "good")), *options)
    assert found["client_certificates"]["mode"] == mode
    assert found["client_certificates"]["compared"] == ({"/": "same"} if site == "mixed" else {})


def test_the_checks_of_both_sides(bench: ProveBench) -> None:
    """All are made, also behind a failed one, and say what was compared."""
    found = look(bench, "panel", "--cert", str(identity(bench, "expired")), code=3)
    server = {(check["code"], check["position"]): check for check in found["server_checks"]["checks"]}
    assert found["server_checks"]["valid"]
    assert found["server_checks"]["path"] == ["CN=*.prove.test", "CN=Test Server CA", "CN=Test Root"]
    assert server["name", 0]["message"] == "DNS:panel.prove.test is DNS:*.prove.test"
    assert server["trust_anchor", 2]["outcome"] == "pass"
    client = {(check["code"], check["position"]): check for check in found["client_checks"]["checks"]}
    assert not found["client_checks"]["valid"]
    assert client["validity", 0]["message"].startswith("expired: until 2025-06-01 00:00 UTC")
    assert client["accepted_ca", None]["outcome"] == "pass"
    assert client["extended_key_usage", 0]["outcome"] == "pass"


def test_a_server_that_the_client_does_not_trust(bench: ProveBench) -> None:
    """Another root, and another name: both are said, with the cause of the proof's table."""
    other = bench.directory / "other.pem"
    other.write_bytes(certificate_pem(bench.pki.foreign_root))
    good = ("--cert", str(identity(bench, "good")))
    found = look(bench, "panel", *good, "--trust", str(other), code=3)
    assert [check["code"] for check in found["server_checks"]["checks"] if check["outcome"] == "fail"] == [
        "trust_anchor"
    ]
    assert "another root" in found["server_diagnosis"]["cause"]
    assert found["diagnosis"] is None


def test_a_name_that_nobody_serves(bench: ProveBench) -> None:
    """ssl_reject_handshake answers by an alert, which nginx logs."""
    found = look(bench, "nobody", code=1)
    assert found["alert"] == {"sender": "server", "name": "unrecognized_name"}
    assert found["diagnosis"]["log"]["text"] in (bench.directory / "error.log").read_text()
    assert "no server block" in found["diagnosis"]["cause"]


def test_another_sites_name_is_misdirected(bench: ProveBench) -> None:
    """SNI of one site, Host of another that verifies clients: 421."""
    found = look(bench, "panel", "--sni", "other.prove.test", code=3)["diagnosis"]
    assert found["code"] == 421
    assert found["log"]["text"] in (bench.directory / "error.log").read_text()


def test_plain_http_in_place_of_tls(bench: ProveBench) -> None:
    """Said as what it is, with the directive."""
    target = f"panel.prove.test:{bench.ports[2]}"
    ran = counterseal(bench.directory / "no-ca", "handshake", target, "--connect", "127.0.0.1")
    assert ran.code == 1, ran
    assert "the peer speaks no TLS but HTTP" in ran.stdout
    assert "directive: listen ADDRESS ssl;" in ran.stdout


def test_http2_is_negotiated_and_the_page_asked_for_beside_it(tmp_path: Path) -> None:
    """The handshake shown is the one with h2, the verdict that of HTTP/1.1."""
    with ProveBench(tmp_path, nginx_binaries()["system"]) as bench:
        bench.texts["nginx.conf"] = bench.texts["nginx.conf"].replace("@TLS@ ssl", "@TLS@ ssl http2")
        bench.install(bench.pki.files(leaver_revoked=False))
        (tmp_path / "root.pem").write_bytes(certificate_pem(bench.pki.root))
        bench.start()
        found = look(bench, "panel", "--cert", str(identity(bench, "expired")), "--alpn", "h2,http/1.1", code=3)
    assert found["protocol"] == "h2"
    assert "HTTP/2 frames" in names(found)
    assert found["diagnosis"]["verify"] == "FAILED:certificate has expired"
    assert found["client_certificates"]["mode"] == "required"


def test_secrets_are_written_on_request_only_and_for_their_owner(bench: ProveBench) -> None:
    """The key log decrypts this very handshake: it names its client random; a readable file is refused."""
    keylog = bench.directory / "keys.log"
    keylog.unlink(missing_ok=True)
    found = look(bench, "panel", "--tls", "1.3", "--keylog", str(keylog), code=3)
    random = found["ladder"][0]["fields"]["random"]
    assert keylog.stat().st_mode & 0o777 == 0o600
    assert f"CLIENT_TRAFFIC_SECRET_0 {random} " in keylog.read_text()
    secrets = [line.split()[2] for line in keylog.read_text().splitlines() if line.startswith("CLIENT_TRAFFIC")]
    assert not any(secret in json.dumps(found) for secret in secrets)
    keylog.chmod(0o644)
    target = f"panel.prove.test:{bench.ports[0]}"
    ran = counterseal(bench.directory, "handshake", target, "--connect", "127.0.0.1", "--keylog", str(keylog))
    assert (ran.code, ran.stderr.splitlines()[0]) == (1, f"error: others can read the key log: {keylog}")


STREAM = """
daemon off; pid @DIR@/stream.pid; error_log @DIR@/stream.log info; @USER@
events { }
stream {
  server {
    listen 127.0.0.1:@PORT@ ssl;
    ssl_certificate @DIR@/server.fullchain.pem; ssl_certificate_key @DIR@/server.key.pem;
    ssl_client_certificate @DIR@/client-ca.pem; ssl_verify_client on; ssl_verify_depth 1;
    return "hello";
  }
}
"""


@pytest.mark.parametrize("binary", nginx_binaries().values(), ids=list(nginx_binaries()))
def test_a_stream_refuses_without_a_word(binary: Path, tmp_path: Path) -> None:
    """It shakes hands and closes; the cause and the log line are named all the same."""
    port = free_ports(1)[0]
    with ProveBench(tmp_path, binary, ports=[port, *free_ports(2)]) as bench:
        module = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
        load = f"load_module {module};" if binary == nginx_binaries().get("system") and module.exists() else ""
        bench.texts = {"nginx.conf": load + STREAM.replace("@PORT@", str(port))}
        bench.install(bench.pki.files(leaver_revoked=False))
        (tmp_path / "root.pem").write_bytes(certificate_pem(bench.pki.root))
        bench.start()
        without = look(bench, "panel", code=3)
        expired = look(bench, "panel", "--cert", str(identity(bench, "expired")), code=3)
        good = look(bench, "panel", "--cert", str(identity(bench, "good")))
        log = (tmp_path / "stream.log").read_text()
    assert good["client_certificates"]["mode"] == "required"
    assert "hello" in names(good)
    assert without["diagnosis"]["verify"] == "NONE"
    assert expired["diagnosis"]["verify"].startswith("FAILED:certificate has expired")
    for found in (without, expired):
        assert "closes without an answer" in found["diagnosis"]["happened"]
        assert f"[{found['diagnosis']['log']['level']}]" in log
        assert found["diagnosis"]["log"]["text"] in log


@pytest.mark.parametrize(
    ("page", "compared", "mode"),
    [
        ('error_page 496 =200 @login; location @login { return 200 "log in\\n"; }', "another-page", "optional"),
        ("error_page 496 = @login; location @login { return 302 /login; }", "another-answer", "another-answer"),
    ],
)
def test_an_error_page_in_place_of_a_refusal(tmp_path: Path, page: str, compared: str, mode: str) -> None:
    """It looks as if nobody were kept out; that the answers differ is told, or that it was not seen."""
    with ProveBench(tmp_path, next(iter(nginx_binaries().values()))) as bench:
        edit = Edit(r"error_page 496 = @cs496;", page, "pages.conf")
        bench.texts[edit.file] = edit.apply(bench.texts[edit.file], "panel")
        bench.install(bench.pki.files(leaver_revoked=False))
        (tmp_path / "root.pem").write_bytes(certificate_pem(bench.pki.root))
        bench.start()
        found = look(bench, "panel", "--cert", str(identity(bench, "good")))["client_certificates"]
        alone = look(bench, "panel")["client_certificates"]
    assert (found["mode"], found["compared"]) == (mode, {"/": compared})
    assert (alone["mode"], alone["compared"]) == ("optional", {"/": "unseen"})
