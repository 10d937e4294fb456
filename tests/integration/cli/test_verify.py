"""``counterseal verify`` as a person uses it: files, a server, another home's CA, and the answers of nginx."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from chains import DAY, NOW, Case, cases, crl, end_entity, root
from command import Ran, counterseal
from counterseal.pki.subject import parse_subject
from foreign_servers import openssl_serving
from integration.nginx.lab import authority, issue
from integration.nginx.responders import forwarder, responder
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHOWN = {"key for encipherment of data only": True, "end entity expired": False, "good server": False}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a CA in ``home`` and the files of a server and a client in ``out``."""
    place = tmp_path_factory.mktemp("verify")
    out = ("--out", str(place / "out"))
    assert counterseal(place / "home", "init", "--no-passphrase").code == 0
    assert counterseal(place / "home", "server", "panel.example.com", *out).code == 0
    (place / "password").write_text("a password of many words\n")
    made = counterseal(place / "home", "client", "alice", *out, "--password-file", str(place / "password"))
    assert made.code == 0, made.stderr
    assert counterseal(place / "home", "crl", "--out", str(place / "crls")).code == 0
    return place


def verify(home: Path, *arguments: str) -> Ran:
    """Run the command on this CA."""
    return counterseal(home / "home", "verify", *arguments)


def answer(ran: Ran) -> dict[str, Any]:
    """Return what ``--json`` says."""
    document: dict[str, Any] = json.loads(ran.stdout)
    assert document["version"] == 1
    found: dict[str, Any] = document["verify"]
    return found


def failures(found: dict[str, Any]) -> set[tuple[str, int | None]]:
    """Return code and position of what failed on the best path."""
    return {(one["code"], one["position"]) for one in found["paths"][0]["checks"] if one["outcome"] == "fail"}


def test_a_certificate_of_this_home_is_valid(home: Path) -> None:
    """The anchors are the CA's own, which is said; the purpose goes by the extended key usage."""
    ran = verify(home, str(home / "out" / "alice.cert.pem"))
    assert ran.code == 0
    assert "as a client" in ran.stdout
    assert f"the root of the CA in {home / 'home'}" in ran.stdout
    assert "verdict: valid" in ran.stdout


def test_every_failure_is_shown_with_its_fix(home: Path) -> None:
    """A client's certificate as a server under another name, a year too late: all of it at once."""
    path = str(home / "out" / "alice.cert.pem")
    options = ("--purpose", "server", "--hostname", "other.example.com", "--at", "2060-01-01")
    ran = verify(home, path, *options)
    found = answer(verify(home, path, *options, "--json"))
    assert ran.code == 3
    assert {("validity", 0), ("validity", 1), ("validity", 2), ("extended_key_usage", 0), ("name", 0)} <= failures(
        found
    )
    assert ran.stdout.count("fix: ") == len({code for code, _ in failures(found)})


def test_a_pkcs12_is_read_with_its_password(home: Path) -> None:
    """The password comes from a file; a wrong one is an error and no verdict."""
    bundle = str(home / "out" / "alice.p12")
    assert verify(home, bundle, "--password-file", str(home / "password")).code == 0
    (home / "wrong").write_text("wrong\n")
    ran = verify(home, bundle, "--password-file", str(home / "wrong"))
    assert (ran.code, ran.stdout) == (1, "")
    assert "password" in ran.stderr


def test_other_trust_is_named_and_missing_issuers_are_found_in_more_files(home: Path) -> None:
    """Without the issuing CA there is no path, with --chain there is."""
    cert, root, chain = (str(home / "out" / name) for name in ("alice.cert.pem", "ca.pem", "alice.chain.pem"))
    without = answer(verify(home, cert, "--trust", root, "--json"))
    assert failures(without) == {("trust_anchor", 0)}
    assert verify(home, cert, "--trust", root, "--chain", chain).code == 0


def test_what_nginx_answers_is_the_exit_code(home: Path) -> None:
    """An intermediate alone is an anchor for the standard, and none for nginx."""
    fullchain, chain = str(home / "out" / "alice.fullchain.pem"), str(home / "out" / "alice.chain.pem")
    ran = verify(home, fullchain, "--like", "nginx", "--trust", chain, "--json")
    found = answer(ran)
    assert (ran.code, found["valid"]) == (3, True)
    assert (found["nginx"]["status"], found["nginx"]["code"], found["nginx"]["error"]) == (400, 495, 2)
    assert found["nginx"]["log"] == "client SSL certificate verify error: (2:unable to get issuer certificate)"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--like", "nginx", "--sni", "a.test", "--host", "b.test"), 3, ": 421 (421)"),
        (("--like", "nginx", "--plain", "--nginx-version", "1.28.0"), 3, "nginx 1.28.0: 400 (497)"),
        (("--like", "nginx", "--verify-client", "off"), 0, "$ssl_client_verify is NONE"),
        (("--sni", "a.test"), 2, "--sni: only with --like nginx"),
        (("--openssl-version", "3.5.9"), 2, "--openssl-version: only with --like nginx"),
        (("--like", "nginx", "--openssl-version", "newest"), 2, "not a version of OpenSSL: 'newest'"),
    ],
)
def test_what_nginx_answers_before_any_certificate(home: Path, words: tuple[str, ...], code: int, said: str) -> None:
    """Other names than negotiated, plain HTTP, and a server that does not ask."""
    ran = verify(home, str(home / "out" / "alice.fullchain.pem"), "--trust", str(home / "out" / "ca.pem"), *words)
    assert (ran.code, said in ran.stdout + ran.stderr) == (code, True)


def test_a_depth_that_is_too_small_is_told_from_a_missing_issuer(home: Path) -> None:
    """Both are answered by 20 or so; here the chain that nginx builds is shown, and what ended it."""
    fullchain, root = str(home / "out" / "alice.fullchain.pem"), str(home / "out" / "ca.pem")
    like = ("--like", "nginx", "--trust", root)
    shallow = verify(home, fullchain, *like, "--depth", "0")
    alone = verify(home, str(home / "out" / "alice.cert.pem"), *like)
    assert (shallow.code, alone.code) == (3, 3)
    assert "ssl_verify_depth admits no more" in shallow.stdout
    assert "chain that nginx builds: CN=alice" in alone.stdout
    assert "admits no more" not in alone.stdout
    lists = [word for name in ("root", "clients") for word in ("--crl", str(home / "crls" / f"{name}.crl.pem"))]
    listed = answer(verify(home, fullchain, *like, "--depth", "0", *lists, "--json"))["nginx"]
    assert (listed["error"], listed["too_deep"]) == (3, True)
    assert listed["cause"].startswith("ssl_verify_depth is smaller")


def test_a_list_that_nginx_cannot_load_is_said(home: Path) -> None:
    """DER is read here, and keeps nginx from starting; with the lists in PEM the client is let in."""
    fullchain, root = str(home / "out" / "alice.fullchain.pem"), str(home / "out" / "ca.pem")
    lists = [home / "crls" / f"{name}.crl" for name in ("root", "clients")]
    in_der = [word for path in lists for word in ("--crl", str(path))]
    in_pem = [word for path in lists for word in ("--crl", f"{path}.pem")]
    assert verify(home, fullchain, "--trust", root, *in_der).code == 0
    like = ("--like", "nginx", "--nginx-version", "1.28.0")
    refused = answer(verify(home, fullchain, "--trust", root, *in_der, *like, "--json"))
    assert refused["nginx"]["emerg"] == "no revocation list in PEM"
    assert set(refused["nginx"]) == {"who", "emerg", "elsewhere"}
    assert verify(home, fullchain, "--trust", root, *in_pem, "--like", "nginx").code == 0


def test_revocation_shows(home: Path) -> None:
    """After ``revoke`` and new lists the certificate fails by the list, with the reason."""
    assert counterseal(home / "home", "client", "mallory", "--out", str(home / "out")).code == 0
    assert counterseal(home / "home", "revoke", "mallory", "--reason", "key_compromise").code == 0
    assert counterseal(home / "home", "crl", "--out", str(home / "crls")).code == 0
    lists = [word for name in ("root", "clients") for word in ("--crl", str(home / "crls" / f"{name}.crl"))]
    ran = verify(home, str(home / "out" / "mallory.cert.pem"), *lists, "--brief")
    assert ran.code == 3
    assert "revoked at" in ran.stdout
    assert "keyCompromise" in ran.stdout


def test_who_is_revoked_here_is_so_without_being_asked(home: Path) -> None:
    """Whoever is named as trusted, and however long the lists have ended; who stands on none needs no list."""
    assert counterseal(home / "home", "client", "trudy", "--out", str(home / "out")).code == 0
    trudy, alice = (str(home / "out" / f"{name}.fullchain.pem") for name in ("trudy", "alice"))
    assert verify(home, trudy).code == 0
    assert counterseal(home / "home", "revoke", "trudy").code == 0
    for options in ((), ("--at", "+60d"), ("--trust", str(home / "out" / "ca.pem"))):
        ran = verify(home, trudy, *options, "--json")
        assert (ran.code, failures(answer(ran))) == (3, {("revocation", 0)})
        assert verify(home, alice, *options).code == 0
    like = answer(verify(home, trudy, "--like", "nginx", "--json"))
    assert (like["nginx"]["code"], like["nginx"]["error"]) == (495, 23)
    assert verify(home, alice, "--like", "nginx").code == 0


@pytest.mark.parametrize("case", [case for case in cases() if case.name in SHOWN], ids=lambda case: case.name)
def test_a_disagreement_is_shown_as_one(case: Case, tmp_path: Path) -> None:
    """The library does not look at an end entity's key usage, which OpenSSL does."""
    chain = b"".join(one.public_bytes(Encoding.PEM) for one in case.chain)
    (tmp_path / "chain.pem").write_bytes(chain)
    (tmp_path / "root.pem").write_bytes(case.anchors[0].public_bytes(Encoding.PEM))
    ran = counterseal(
        tmp_path,
        "verify",
        str(tmp_path / "chain.pem"),
        "--trust",
        str(tmp_path / "root.pem"),
        "--at",
        case.at.isoformat(),
    )
    assert ("disagreement: the library accepts what fails here" in ran.stdout) == SHOWN[case.name]
    assert ran.code == (3 if case.fails else 0)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nosuch.pem",), 1, "no such file"),
        (("127.0.0.1:1",), 1, "no certificate came from 127.0.0.1:1"),
        (("host:99999",), 2, "not a host with a port"),
    ],
)
def test_what_cannot_be_looked_at_is_an_error(home: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    """With a hint, and without a verdict."""
    ran = verify(home, *arguments)
    assert (ran.code, ran.stdout) == (code, "")
    assert said in ran.stderr


def test_a_server_is_asked_for_its_chain(home: Path) -> None:
    """Its name comes from the target; an intermediate that it does not send is missing, though this home knows it."""
    made = counterseal(home / "home", "server", "127.0.0.1", "--out", str(home / "out"))
    assert made.code == 0, made.stderr
    files = {name: str(home / "out" / f"127.0.0.1.{name}.pem") for name in ("fullchain", "cert", "key")}
    with openssl_serving(home, "-cert", files["cert"], "-cert_chain", files["fullchain"], "-key", files["key"]) as port:
        good = answer(verify(home, f"127.0.0.1:{port}", "--json"))
        other = verify(home, f"127.0.0.1:{port}", "--hostname", "other.example.com")
    with openssl_serving(home, "-cert", files["cert"], "-key", files["key"]) as port:
        alone = verify(home, f"127.0.0.1:{port}", "--json")
    assert (good["valid"], good["names"]) == (True, ["IP:127.0.0.1"])
    assert other.code == 3
    assert failures(answer(alone)) == {("trust_anchor", 0)}


class Files(BaseHTTPRequestHandler):
    """Serves what it was told, by path, to GET and POST alike."""

    content: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:
        """Answer with the file of this path."""
        found = self.content.get(self.path)
        self.send_response(404 if found is None else 200)
        self.end_headers()
        self.wfile.write(found or b"")

    do_POST = do_GET  # noqa: N815 - the same

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[str]:
    """Serve ``Files`` and return its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_server_without_tls_is_named(home: Path, web: str) -> None:
    """What speaks there and where to go, not what OpenSSL calls it."""
    ran = verify(home, web.removeprefix("http://"))
    assert (ran.code, ran.stdout) == (1, "")
    assert "the peer speaks no TLS but HTTP" in ran.stderr
    assert "ask the port that has TLS" in ran.stderr


def test_lists_and_responses_are_fetched_when_asked_for(web: str, tmp_path: Path) -> None:
    """From where the certificate points to; a list that is not there is an error and no verdict."""
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(f"{web}/ca.crl")], None, None, None)
    responder = x509.UniformResourceIdentifier(f"{web}/ocsp")
    access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, responder)
    extensions = ((x509.CRLDistributionPoints([point]), False), (x509.AuthorityInformationAccess([access]), False))
    server = end_entity(root()).having(*extensions).make()
    for name, issued in (("server", server), ("root", root())):
        (tmp_path / f"{name}.pem").write_bytes(issued.certificate.public_bytes(Encoding.PEM))
    question = ("verify", str(tmp_path / "server.pem"), "--trust", str(tmp_path / "root.pem"), "--at", NOW.isoformat())
    Files.content = {}
    missing = counterseal(tmp_path, *question, "--fetch-crl")
    assert (missing.code, missing.stdout) == (1, "")
    assert "cannot fetch" in missing.stderr
    good = ocsp.OCSPResponseBuilder().add_response(
        server.certificate, root().certificate, SHA256(), ocsp.OCSPCertStatus.GOOD, NOW, NOW + DAY, None, None
    )  # fmt: skip
    signed = good.responder_id(ocsp.OCSPResponderEncoding.HASH, root().certificate).sign(root().private_key, SHA256())
    revoking = crl(root(), revoked=[server.certificate.serial_number])
    Files.content = {
        "/ca.crl": revoking.public_bytes(Encoding.DER),
        "/ocsp": signed.public_bytes(Encoding.DER),
    }
    assert counterseal(tmp_path, *question).code == 0
    assert counterseal(tmp_path, *question, "--fetch-ocsp").code == 0
    by_list = counterseal(tmp_path, *question, "--fetch-crl", "--json")
    by_address = counterseal(tmp_path, *question, "--crl", f"{web}/ca.crl", "--json")
    assert failures(answer(by_list)) == failures(answer(by_address)) == {("revocation", 0)}


@pytest.mark.parametrize("is_revoked", [False, True])
def test_a_real_responder_is_asked(tmp_path: Path, *, is_revoked: bool) -> None:
    """``openssl ocsp`` says whether it stands, and that is the verdict, also where it takes a second to say so."""
    with forwarder(behind := free_port(), delay=1.0) as port:
        carol = issue(parse_subject("CN=carol"), ca="root", responder=f"http://127.0.0.1:{port}/")
        for name, issued in (("carol", carol), ("root", authority("root"))):
            (tmp_path / f"{name}.pem").write_bytes(issued.certificate.public_bytes(Encoding.PEM))
        good, revoked = ([], [carol]) if is_revoked else ([carol], [])
        question = (str(tmp_path / "carol.pem"), "--purpose", "client", "--trust", str(tmp_path / "root.pem"))
        with responder(tmp_path, "root", good, revoked, port=behind):
            ran = counterseal(tmp_path, "verify", *question, "--fetch-ocsp", "--json")
    assert ran.code == (3 if is_revoked else 0), ran
    assert failures(answer(ran)) == ({("revocation", 0)} if is_revoked else set())


def test_the_systems_cas_can_be_named(home: Path) -> None:
    """Then the CA of this home is not trusted, and the hint says so only where nothing was named."""
    path = str(home / "out" / "alice.cert.pem")
    ran = verify(home, path, "--trust", "system")
    assert ran.code == 3
    assert "of this system" in ran.stdout
    assert "nothing was trusted but" not in ran.stderr
    elsewhere = counterseal(home / "nowhere", "verify", path)
    assert "nothing was trusted but" in elsewhere.stderr
