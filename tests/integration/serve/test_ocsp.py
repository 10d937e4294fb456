"""``/ocsp`` asked by openssl, by curl and by nginx itself; a revocation counts at once."""

from __future__ import annotations

import base64
import os
import subprocess
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, Hash, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from command import counterseal
from counterseal.pki.shown import show_serial
from integration.serve.test_publication import configuration, fetch
from nginx_process import nginx_binary, private_nginx
from ports import free_port
from public_cache import cache_configuration
from service_process import Running, make_ca, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nginx_process import PrivateNginx

__all__ = ["nginx_binary", "private_nginx"]

SUCCESSFUL = ocsp.OCSPResponseStatus.SUCCESSFUL
MALFORMED, UNAUTHORIZED = ocsp.OCSPResponseStatus.MALFORMED_REQUEST, ocsp.OCSPResponseStatus.UNAUTHORIZED
GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN


@dataclass
class Lab:
    """A service and the certificates of its CAs."""

    service: Running
    directory: Path

    def client(self, name: str) -> x509.Certificate:
        """Issue a client certificate."""
        made = counterseal(self.service.home, "client", name, "--out", str(self.directory / name))
        assert made.code == 0, made.stderr
        content = next((self.directory / name).glob("*.fullchain.pem")).read_bytes()
        return x509.load_pem_x509_certificate(content)

    def ca(self, name: str = "clients") -> x509.Certificate:
        """Return the certificate of a CA."""
        return x509.load_der_x509_certificate(fetch(self.service, f"/ca/{name}.crt")[1])

    def revoke(self, name: str, reason: str) -> None:
        """Revoke by the command."""
        revoked = counterseal(self.service.home, "revoke", name, "--reason", reason)
        assert revoked.code == 0, revoked.stderr

    def openssl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Ask with openssl, which verifies the answer up to the root."""
        ca = self.directory / "clients.pem"
        ca.write_bytes(self.ca().public_bytes(Encoding.PEM))
        command = ["openssl", "ocsp", "-issuer", str(ca), "-CAfile", str(self.service.root), *arguments]
        command += ["-url", f"http://{self.service.http_address}/ocsp/clients"]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return a running service that the tests of this module share."""
    directory = tmp_path_factory.mktemp("ocsp")
    make_ca(directory / "home", configuration())
    with running(directory / "home", "--name", "127.0.0.1") as service:
        yield Lab(service, directory)


def request_of(serial_number: int, ca: x509.Certificate, algorithm: HashAlgorithm, nonce: bytes | None = None) -> bytes:
    """Return a request in DER that names any serial number of a CA."""
    name, key = digest(algorithm, ca.subject.public_bytes()), digest(algorithm, key_octets(ca))
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name, key, serial_number, algorithm)
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def key_octets(ca: x509.Certificate) -> bytes:
    """Return the subjectPublicKey of a CA on P-256 without its wrapping: an uncompressed point."""
    return ca.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def digest(algorithm: HashAlgorithm, content: bytes) -> bytes:
    """Return the hash of a name or a key."""
    done = Hash(algorithm)
    done.update(content)
    return done.finalize()


def ask(lab: Lab, question: bytes, path: str = "/ocsp/clients") -> ocsp.OCSPResponse:
    """Return the answer to a request by POST."""
    response, content = fetch(lab.service, path, "POST", question, Content_Type="application/ocsp-request")
    assert (response.status, response.headers["Content-Type"]) == (200, "application/ocsp-response")
    assert response.headers["Cache-Control"] == "no-store"
    return ocsp.load_der_ocsp_response(content)


def test_openssl_believes_the_answers(lab: Lab) -> None:
    """Good, then revoked with reason and time; never issued is unknown; the signer is a delegate of the CA."""
    alice = lab.client("alice")
    serial = ["-serial", f"0x{alice.serial_number:x}"]
    good = lab.openssl(*serial)
    assert (good.returncode, "Response verify OK" in good.stderr) == (0, True), good.stderr
    assert ": good" in good.stdout
    assert ": good" in lab.openssl("-sha256", *serial).stdout
    lab.revoke("alice", "key_compromise")
    revoked = lab.openssl(*serial).stdout
    assert ": revoked" in revoked
    assert "Reason: keyCompromise" in revoked
    too_long = f"0x01{'00' * 20}", f"0x01{'00' * 3000}"  # of more than 20 octets none can be
    for never_issued in ("0x1234", *too_long, "-1", "-0x80"):
        assert ": unknown" in lab.openssl("-serial", never_issued).stdout


def test_of_a_revoked_ca_openssl_is_told_so(tmp_path: Path) -> None:
    """For who does not look at the CA itself: of all it issued, and of numbers that nobody knows."""
    make_ca(tmp_path / "home", configuration())
    with running(tmp_path / "home", "--name", "127.0.0.1") as service:
        lab = Lab(service, tmp_path)
        alice = ["-serial", f"0x{lab.client('alice').serial_number:x}"]
        assert ": good" in lab.openssl(*alice).stdout
        assert counterseal(service.home, "ca", "revoke", "clients", "--reason", "key_compromise", "--yes").code == 0
        for serial in (alice, ["-serial", "0x1234"], ["-serial", f"0x01{'00' * 30}"]):
            answered = lab.openssl(*serial)
            assert ": revoked" in answered.stdout
            assert "Reason: cACompromise" in answered.stdout
            assert "Response verify OK" in answered.stderr
        servers = request_of(1, lab.ca("servers"), SHA256())
        assert ask(lab, servers, "/ocsp/servers").certificate_status is UNKNOWN


def test_several_certificates_in_one_request(lab: Lab) -> None:
    """Openssl verifies one answer about all of them; of several CAs nobody may answer for all."""
    carol, ca = lab.client("carol"), lab.directory / "clients.pem"
    lab.revoke("carol", "superseded")
    serials = [f"0x{lab.client('dave').serial_number:x}", f"0x{carol.serial_number:x}", "0x1234"]
    answered = lab.openssl(*(word for serial in serials for word in ("-serial", serial)))
    assert (answered.returncode, "Response verify OK" in answered.stderr) == (0, True), answered.stderr
    lines = answered.stdout.splitlines()
    said = [line.partition(": ")[2] for line in lines if line.startswith("0x")]
    assert said == ["good", "revoked", "unknown"]
    root = ["-issuer", str(lab.service.root), "-cert", str(ca)]
    assert "unauthorized" in lab.openssl("-serial", "0x1234", *root).stdout


def test_no_answer_is_newer_than_the_response_it_comes_in(lab: Lab) -> None:
    """RFC 9110 8.8.2.1: not even one that is signed as soon as a second begins."""
    ca = lab.ca()
    for number in range(3):
        question = request_of(lab.client(f"new{number}").serial_number, ca, SHA256())
        time.sleep(1 - time.time() % 1)
        response, _ = fetch(lab.service, f"/ocsp/clients/{quote(base64.b64encode(question), safe='')}")
        (date,) = response.headers.get_all("Date", [])
        assert parsedate_to_datetime(response.headers["Last-Modified"]) <= parsedate_to_datetime(date)


@pytest.mark.parametrize("algorithm", [SHA1(), SHA256()], ids=lambda one: one.name)  # noqa: S303 - as clients ask
def test_get_is_cached_and_a_revocation_ends_that(lab: Lab, algorithm: HashAlgorithm) -> None:
    """By GET with the request in the path; the kept answer is the same octets until the certificate is revoked."""
    name = f"bob-{algorithm.name}"
    bob, ca = lab.client(name), lab.ca()
    question = request_of(bob.serial_number, ca, algorithm)
    path = "/ocsp/clients/" + quote(base64.b64encode(question).decode(), safe="")
    response, content = fetch(lab.service, path)
    assert response.headers["Content-Type"] == "application/ocsp-response"
    assert "max-age=300" in response.headers["Cache-Control"]
    assert fetch(lab.service, path)[1] == content
    assert fetch(lab.service, path, If_None_Match=response.headers["ETag"])[0].status == 304
    assert fetch(lab.service, path, If_Modified_Since=response.headers["Last-Modified"])[0].status == 200
    assert fetch(lab.service, path.replace("/clients", ""))[1] == content
    answer = ocsp.load_der_ocsp_response(content)
    assert answer.next_update_utc is not None
    assert (answer.certificate_status, answer.next_update_utc - answer.this_update_utc) == (GOOD, timedelta(hours=12))
    lab.revoke(name, "superseded")
    response, content = fetch(lab.service, path, If_None_Match=response.headers["ETag"])
    assert response.status == 200
    answer = ocsp.load_der_ocsp_response(content)
    assert (answer.certificate_status, answer.revocation_reason) == (REVOKED, x509.ReasonFlags.superseded)


def test_the_delegate_is_what_the_rfc_asks_for(lab: Lab) -> None:
    """Issued by the CA itself, for OCSP alone, never asked about (RFC 6960 4.2.2.2), and short-lived."""
    delegate = ask(lab, request_of(1, lab.ca(), SHA256())).certificates[0]
    delegate.verify_directly_issued_by(lab.ca())
    usage = delegate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.OCSP_SIGNING]
    assert delegate.extensions.get_extension_for_class(x509.OCSPNoCheck).critical is False
    assert delegate.not_valid_after_utc - delegate.not_valid_before_utc <= timedelta(days=15)
    keys = [path.name for path in (lab.service.home / "keys").glob("ocsp-clients-*.key.pem")]
    assert keys == [f"ocsp-clients-{delegate.serial_number:x}.key.pem"]


def test_a_ca_is_answered_for_by_the_root(lab: Lab) -> None:
    """As nginx asks with ``ssl_ocsp on``: one URL for the whole chain."""
    answer = ask(lab, request_of(lab.ca().serial_number, lab.ca("root"), SHA1()), "/ocsp")  # noqa: S303 - as nginx asks
    assert answer.certificate_status is GOOD


@pytest.mark.parametrize(("octets", "repeated"), [(15, False), (16, True), (32, True), (128, True)])
def test_nonces(lab: Lab, octets: int, repeated: bool) -> None:  # noqa: FBT001 - a table
    """RFC 9654: a short one is ignored, others are repeated."""
    answer = ask(lab, request_of(1, lab.ca(), SHA256(), bytes(octets)))
    found = [one.value.nonce for one in answer.extensions if isinstance(one.value, x509.OCSPNonce)]
    assert found == ([bytes(octets)] if repeated else [])


@pytest.mark.parametrize(
    ("nonces", "without", "repeated"), [("required", UNAUTHORIZED, True), ("ignored", SUCCESSFUL, False)]
)
def test_nonces_by_policy(tmp_path: Path, nonces: str, without: ocsp.OCSPResponseStatus, *, repeated: bool) -> None:
    """An answer is for one request only, or kept and for all."""
    make_ca(tmp_path / "home", f'{configuration()}[ocsp]\nnonces = "{nonces}"\n')
    with running(tmp_path / "home", "--name", "127.0.0.1") as service:
        lab = Lab(service, tmp_path)
        assert ask(lab, request_of(1, lab.ca(), SHA256())).response_status is without
        answer = ask(lab, request_of(1, lab.ca(), SHA256(), bytes(32)))
        assert any(isinstance(one.value, x509.OCSPNonce) for one in answer.extensions) is repeated


@pytest.mark.parametrize("octets", [0, 129])
def test_nonces_that_are_refused(lab: Lab, octets: int) -> None:
    """RFC 9654 2.1: empty or longer than 128 octets."""
    assert ask(lab, request_of(1, lab.ca(), SHA256(), bytes(octets))).response_status is MALFORMED


@pytest.mark.parametrize("question", [b"", b"\x30", b"hello", bytes(4000)], ids=["nothing", "cut", "text", "zeros"])
def test_what_is_no_request(lab: Lab, question: bytes) -> None:
    """Answered at once, by POST and by GET."""
    assert ask(lab, question).response_status is MALFORMED
    content = fetch(lab.service, f"/ocsp/clients/{quote(base64.b64encode(question), safe='')}")[1]
    assert ocsp.load_der_ocsp_response(content).response_status is MALFORMED


def test_a_foreign_issuer_is_not_answered_for(lab: Lab) -> None:
    """Nor another CA of ours under this one's name; and an endless request is cut off."""
    question = request_of(1, lab.ca("servers"), SHA1())  # noqa: S303 - as clients ask
    assert ask(lab, question).response_status is UNAUTHORIZED
    assert ask(lab, question, "/ocsp/servers").certificate_status is UNKNOWN
    changed = question.replace(digest(SHA1(), key_octets(lab.ca("servers"))), bytes(20))  # noqa: S303 - same
    assert ask(lab, changed, "/ocsp").response_status is UNAUTHORIZED
    assert fetch(lab.service, "/ocsp", "POST", bytes(10_000))[0].status == 413


def test_a_ca_whose_key_is_away_is_answered_for(tmp_path: Path) -> None:
    """By the responder that it certified before, also after a new start."""
    home = tmp_path / "home"
    make_ca(home, configuration())
    with running(home, "--name", "127.0.0.1"):
        (home / "keys" / "root.key.pem").rename(tmp_path / "safe")
    with running(home, "--name", "127.0.0.1") as service:
        lab = Lab(service, tmp_path)
        question = request_of(lab.ca().serial_number, lab.ca("root"), SHA256())
        assert ask(lab, question, "/ocsp/root").certificate_status is GOOD


@pytest.mark.nginx
@pytest.mark.parametrize(("check", "path"), [("leaf", "/ocsp/clients"), ("on", "/ocsp")])
def test_nginx_asks_about_its_clients(lab: Lab, private_nginx: PrivateNginx, check: str, path: str) -> None:
    """With ``ssl_ocsp``: admitted, and after the revocation refused with the next handshake."""
    name = f"carol-{check}-{private_nginx.binary.parent.name}"
    lab.client(name)
    port = serve_with_ocsp(lab, private_nginx, check, path)
    assert visit(lab, name, port) == "200"
    lab.revoke(name, "cessation_of_operation")
    assert visit(lab, name, port) == "400"
    assert "certificate revoked" in private_nginx.log()


@pytest.mark.nginx
def test_the_cache_that_we_ship(tmp_path: Path, private_nginx: PrivateNginx) -> None:
    """What it keeps is asked for anew when its time is over, though its files stay open; by POST nothing is kept."""
    run, port = private_nginx.base / "run", free_port()
    make_ca(tmp_path / "home", configuration() + '[ocsp]\ncached = "1s"\n')
    private_nginx.conf.parent.mkdir()
    with running(tmp_path / "home", "--name", "127.0.0.1") as service:
        private_nginx.conf.write_text(cache_configuration(run, service.http_address or "", port))
        private_nginx.start(("127.0.0.1", port))
        lab, through = (Lab(one, tmp_path) for one in (service, replace(service, http_address=f"127.0.0.1:{port}")))
        question = request_of(lab.client("cached").serial_number, lab.ca(), SHA1())  # noqa: S303 - as clients ask
        path = f"/ocsp/clients/{quote(base64.b64encode(question).decode(), safe='')}"

        def status() -> ocsp.OCSPCertStatus:
            response, content = fetch(through.service, path)
            assert (response.status, response.headers["Content-Type"]) == (200, "application/ocsp-response")
            return ocsp.load_der_ocsp_response(content).certificate_status

        assert status() is status() is GOOD
        assert [one for one in (run / "cache").rglob("*") if one.is_file()]
        lab.revoke("cached", "superseded")
        assert ask(through, question).certificate_status is REVOKED
        private_nginx.wait_for(lambda: status() is REVOKED, "the revocation to be told")
        crl = "/crl/clients.crl"
        response, content = fetch(through.service, crl)
        assert content == fetch(service, crl)[1]
        made = response.headers["Date"]
        private_nginx.wait_for(lambda: fetch(service, crl)[0].headers["Date"] != made, "a second to pass")
        assert fetch(through.service, crl)[0].headers.get_all("Date") == [made]  # how old it is


@pytest.mark.nginx
def test_nginx_staples_to_our_certificate(lab: Lab, private_nginx: PrivateNginx) -> None:
    """The service's own certificate names the responder; nginx asks it after the first handshake."""
    port = serve_with_ocsp(lab, private_nginx, "off", "/ocsp", "ssl_verify_client off; ssl_stapling on;")
    chain = x509.load_pem_x509_certificates((lab.service.home / "serve" / "server.fullchain.pem").read_bytes())
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-status", "-CAfile", str(lab.service.root)]

    def stapled() -> bool:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30, input="")
        return (
            f"Serial Number: {show_serial(chain[0].serial_number)}" in done.stdout
            and "Cert Status: good" in done.stdout
        )

    private_nginx.wait_for(stapled, "an answer to be stapled")


def test_certificates_name_what_there_is(lab: Lab) -> None:
    """List, responder and issuer can be fetched where a certificate says; the issuing CA names the root's."""
    for subject, issuer in ((lab.client("named"), lab.ca()), (lab.ca(), lab.ca("root"))):
        access = subject.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
        places = {one.access_method: one.access_location.value for one in access}
        point = subject.extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0]
        assert point.full_name is not None
        assert x509.load_der_x509_crl(fetch(lab.service, path_of(point.full_name[0].value))[1]).issuer == issuer.subject
        place = path_of(places[AuthorityInformationAccessOID.CA_ISSUERS])
        assert x509.load_der_x509_certificate(fetch(lab.service, place)[1]) == issuer
        question = request_of(subject.serial_number, issuer, SHA256())
        assert ask(lab, question, path_of(places[AuthorityInformationAccessOID.OCSP])).certificate_status is GOOD


def test_without_a_responder_none_is_named(tmp_path: Path) -> None:
    """By what is issued while ``[ocsp]`` is off; list and issuer are named still."""
    make_ca(tmp_path / "home", f"{configuration()}[ocsp]\nenabled = false\n")
    assert counterseal(tmp_path / "home", "client", "quiet", "--out", str(tmp_path)).code == 0
    (path,) = tmp_path.glob("*.fullchain.pem")
    for certificate in x509.load_pem_x509_certificates(path.read_bytes())[:2]:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
        assert [one.access_method for one in access] == [AuthorityInformationAccessOID.CA_ISSUERS]
        assert certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0].full_name


def path_of(url: str) -> str:
    """Return the path of a URL of the service without TLS."""
    return "/" + url.split("/", 3)[3]


def serve_with_ocsp(
    lab: Lab, nginx: PrivateNginx, check: str, path: str, clients: str = "ssl_verify_client on;"
) -> int:
    """Start nginx with a site that asks our responder about every client."""
    port, home, run = free_port(), lab.service.home, nginx.base / "run"
    nginx.conf.parent.mkdir()
    trusted = nginx.conf.with_name("clients.pem")
    trusted.write_bytes(fetch(lab.service, "/ca/clients.pem")[1])
    nginx.conf.write_text(f"""
        pid {run}/nginx.pid; error_log {run}/error.log info; {"user root;" if os.geteuid() == 0 else ""}
        events {{ }}
        http {{ access_log off; client_body_temp_path {run}/a; proxy_temp_path {run}/b; fastcgi_temp_path {run}/c;
            uwsgi_temp_path {run}/d; scgi_temp_path {run}/e;
            server {{ listen 127.0.0.1:{port} ssl; return 200 "in";
                ssl_certificate {home}/serve/server.fullchain.pem; ssl_certificate_key {home}/serve/server.key.pem;
                ssl_client_certificate {trusted}; {clients} ssl_verify_depth 2;
                ssl_ocsp {check}; ssl_ocsp_responder http://{lab.service.http_address}{path};
                ssl_session_tickets off; ssl_session_cache off; }} }}""")
    nginx.start(("127.0.0.1", port))
    return port


def visit(lab: Lab, name: str, port: int) -> str:
    """Return the status that curl gets with that client's certificate."""
    own = lab.directory / name
    key, chain = next(own.glob("*.key.pem")), next(own.glob("*.fullchain.pem"))
    command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", str(lab.service.root)]
    command += ["--cert", str(chain), "--key", str(key), f"https://127.0.0.1:{port}/"]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=30).stdout
