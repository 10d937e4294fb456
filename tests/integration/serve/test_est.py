"""EST asked by strongSwan's client, by curl with openssl, and through an nginx; and what it makes of bad requests."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import HTTP
from http.client import HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    pkcs7,
)
from cryptography.x509.oid import AttributeOID, NameOID

from command import counterseal
from counterseal.pki.possession import prove_possession
from counterseal.pki.shown import show_serial
from nginx_process import BINARIES, PrivateNginx, worker_user
from ports import free_port
from programs import run_program
from service_process import Running, make_ca, running
from whole_answers import read_answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EST = "/.well-known/est"
PKCS10 = {"Content-Type": "application/pkcs10"}


@dataclass
class Device:
    """A key, the files of it and of its certificate, and requests made with them."""

    directory: Path
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def new(cls, directory: Path) -> Device:
        """Make a key."""
        directory.mkdir()
        device = cls(directory, ec.generate_private_key(ec.SECP256R1()))
        content = device.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (directory / "key.pem").write_bytes(content)
        return device

    def keep(self, body: bytes) -> x509.Certificate:
        """Write the one certificate of an answer to a file, and return it."""
        (found,) = pkcs7.load_der_pkcs7_certificates(base64.b64decode(body, validate=True))
        (self.directory / "cert.pem").write_bytes(found.public_bytes(Encoding.PEM))
        return found

    def request(self, name: str = "", *, dns: str | None = None, challenge: bytes | None = None) -> bytes:
        """Return a CSR in base64."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else [])
        builder = x509.CertificateSigningRequestBuilder(subject)
        if dns:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(dns)]), critical=False)
        if challenge:
            builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, challenge)
        return base64.b64encode(builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a service that renews for a day after expiry."""
    home = tmp_path_factory.mktemp("est") / "home"
    make_ca(home, '[est]\nrenew_after_expiry = "1d"\n')
    with running(home) as service:
        yield service


def token(service: Running, name: str, *more: str) -> str:
    """Return the secret of a new token."""
    made = counterseal(service.home, "token", name, "--profile", "client", *more, "--json")
    assert made.code == 0, made.stderr
    secret: str = json.loads(made.stdout)["secret"]
    return secret


def post(
    service: Running,
    operation: str,
    body: bytes,
    *,
    secret: str | None = None,
    device: Device | None = None,
    version: ssl.TLSVersion | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes, dict[str, str]]:
    """Return status, body and headers; a device shows its certificate."""
    context = ssl.create_default_context(cafile=str(service.root))
    if device:
        context.load_cert_chain(device.directory / "cert.pem", device.directory / "key.pem")
    if version:
        context.maximum_version = version
    parts = urlsplit(service.url)
    connection = HTTPSConnection(parts.hostname or "", parts.port, timeout=30, context=context)
    connection.connect()
    if b"TLS-UNIQUE" in body:
        unique = base64.b64encode(connection.sock.get_channel_binding("tls-unique") or b"")
        assert device
        body = device.request(body.partition(b" ")[2].decode(), challenge=unique)
    authorization = {"Authorization": f"Bearer {secret}"} if secret else {}
    connection.request("POST", f"{EST}/{operation}", body, {**PKCS10, **authorization, **(headers or {})})
    response = connection.getresponse()
    try:
        return response.status, response.read(), {name.lower(): value for name, value in response.getheaders()}
    finally:
        connection.close()


def enrolled(service: Running, directory: Path, name: str, *more: str) -> Device:
    """Return a device that has got its certificate for a token."""
    device = Device.new(directory)
    status, body, _ = post(service, "simpleenroll", device.request(), secret=token(service, name, *more))
    assert status == 200, body
    device.keep(body)
    return device


def test_strongswan_enrols_and_renews(service: Running, tmp_path: Path) -> None:
    """Its ``pki`` fetches the CAs, gets a certificate by password, and another key's by mutual TLS."""
    server = ("--url", service.url, "--cacert", str(service.root))
    run_program("pki", "--estca", *server, "--caout", "ca.pem", "--outform", "pem", cwd=tmp_path)
    assert len(list(tmp_path.glob("ca*.pem"))) == 3
    secret = token(service, "gateway", "--san", "gateway.test", "--group", "vpn")
    shell = "openssl ecparam -name prime256v1 -genkey -noout -out {0}.key; "
    shell += "pki --req --type priv --in {0}.key --dn '{1}' --san gateway.test > {0}.csr; "
    shell += "pki --est {2} --in {0}.csr --outform pem > {0}.pem"
    urls = f"--url {service.url} --cacert {service.root}"
    run_program("sh", "-ec", shell.format("old", "CN=gateway", f"{urls} --userpass gateway:{secret}"), cwd=tmp_path)
    renewing = f"{urls} --cert old.pem --key old.key"
    run_program("sh", "-ec", shell.format("new", "OU=vpn, CN=gateway", renewing), cwd=tmp_path)
    old, new = (x509.load_pem_x509_certificate((tmp_path / f"{name}.pem").read_bytes()) for name in ("old", "new"))
    assert (old.subject, old.extensions[0].critical) == (new.subject, new.extensions[0].critical)
    assert old.public_key() != new.public_key()
    assert old.serial_number != new.serial_number


def test_curl_and_openssl_get_a_key_made_for_them(service: Running, tmp_path: Path) -> None:
    """HTTP Basic; key and certificate come as two parts, and fit."""
    secret = token(service, "kiosk")
    script = (
        "openssl req -new -newkey rsa:2048 -nodes -keyout unused.pem -subj /CN=kiosk -outform DER | base64 > csr.b64; "
        f"curl -sSf --cacert {service.root} -u kiosk:{secret} -H 'Content-Type: application/pkcs10' "
        f"--data-binary @csr.b64 -D head -o body {service.url}{EST}/client/serverkeygen"
    )
    run_program("sh", "-ec", script, cwd=tmp_path)
    content_type = next(
        line for line in (tmp_path / "head").read_bytes().splitlines() if line.startswith(b"content-type")
    )
    message = message_from_bytes(content_type + b"\r\n\r\n" + (tmp_path / "body").read_bytes(), policy=HTTP)
    key, certificate = message.iter_parts()
    assert [part.get_content_type() for part in (key, certificate)] == ["application/pkcs8", "application/pkcs7-mime"]
    private_key = load_der_private_key(key.get_content(), None)
    (found,) = pkcs7.load_der_pkcs7_certificates(certificate.get_content())
    assert found.public_key() == private_key.public_key()
    assert "RSA" in type(private_key).__name__


def test_openssl_reads_the_attributes(service: Running, tmp_path: Path) -> None:
    """They need no credential."""
    fetch = f"curl -sSf --cacert {service.root} {service.url}{EST}/csrattrs"
    said = run_program("sh", "-c", f"{fetch} | openssl base64 -d -A | openssl asn1parse -inform DER", cwd=tmp_path)
    assert re.search("id-ecPublicKey.*prime256v1.*ecdsa-with-SHA256.*Extension Request", said, re.DOTALL)


def test_what_is_sent_is_called_what_it_is(service: Running, tmp_path: Path) -> None:
    """RFC 7030 4.1.3, 4.2.3, 4.4.2, 4.5.2."""
    certificates = "application/pkcs7-mime; smime-type=certs-only"
    types = {one: service.request("GET", f"{EST}/{one}")[0].headers["content-type"] for one in ("cacerts", "csrattrs")}
    assert types == {"cacerts": certificates, "csrattrs": "application/csrattrs"}
    request = Device.new(tmp_path / "d").request()
    _, _, headers = post(service, "simpleenroll", request, secret=token(service, "typed"))
    assert headers["content-type"] == certificates
    _, body, headers = post(service, "serverkeygen", request, secret=token(service, "typed"))
    message = message_from_bytes(f"content-type: {headers['content-type']}\r\n\r\n".encode() + body, policy=HTTP)
    assert message.get_content_type() == "multipart/mixed"
    key, certificate = message.iter_parts()
    assert {str(part["content-transfer-encoding"]) for part in (key, certificate)} == {"base64"}
    assert key["content-type"] == "application/pkcs8"
    assert (certificate.get_content_type(), certificate["content-type"].params) == (
        "application/pkcs7-mime",
        {"smime-type": "certs-only"},
    )


def test_a_key_that_costs_too_much_is_not_made(service: Running) -> None:
    """The kind is the request's, whose key may have more bits than we make."""
    big = rsa.generate_private_key(65537, 4104)
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(big, hashes.SHA256())
    body = base64.b64encode(csr.public_bytes(Encoding.DER))
    status, said, _ = post(service, "serverkeygen", body, secret=token(service, "large"))
    assert (status, said) == (400, b"an RSA key is made with at most 4096 bits, not 4104\n")


def test_one_use_and_its_repetition(service: Running, tmp_path: Path) -> None:
    """The key that had the first answer gets it again, another one nothing."""
    first, second, secret = Device.new(tmp_path / "1"), Device.new(tmp_path / "2"), token(service, "meter")
    answers = [post(service, "simpleenroll", first.request(), secret=secret) for _ in range(2)]
    assert first.keep(answers[0][1]) == first.keep(answers[1][1])
    status, body, headers = post(service, "simpleenroll", second.request(), secret=secret)
    assert (status, body.startswith(b"the token is used up")) == (401, True)
    assert headers["www-authenticate"]


def test_a_repetition_at_the_same_time_has_the_same_answer(service: Running, tmp_path: Path) -> None:
    """Eight at once: whoever finds the token used up was not the first, but has the same key."""
    device, secret = Device.new(tmp_path / "d"), token(service, "valve")
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(post, service, "simpleenroll", device.request(), secret=secret) for _ in range(8)]
        answers = [one.result() for one in asked]
    assert {status for status, _, _ in answers} == {200}
    assert len({device.keep(body) for _, body, _ in answers}) == 1


def test_a_revoked_certificate_is_refused_at_once(service: Running, tmp_path: Path) -> None:
    """In words; the handshake still gets through."""
    device = enrolled(service, tmp_path / "d", "stolen")
    assert post(service, "simplereenroll", device.request("stolen"), device=device)[0] == 200
    found = json.loads(counterseal(service.home, "list", "--name", "stolen", "--json").stdout)["certificates"]
    for one in found:
        assert counterseal(service.home, "revoke", one["serial_number"]).code == 0
    status, body, _ = post(service, "simplereenroll", device.request("stolen"), device=device)
    assert (status, body) == (403, b"the client certificate is revoked: CN=stolen\n")


def test_an_expired_certificate_can_be_renewed_where_policy_says_so(service: Running, tmp_path: Path) -> None:
    """For its own names, and for nothing else."""
    device = enrolled(service, tmp_path / "d", "late", "--lifetime", "2s")
    ends = x509.load_pem_x509_certificate((device.directory / "cert.pem").read_bytes()).not_valid_after_utc
    while time.time() <= ends.timestamp() + 1:
        time.sleep(0.05)
    status, body, _ = post(service, "simpleenroll", device.request("late"), device=device)
    assert (status, b"expired" in body) == (403, True)
    status, body, _ = post(service, "simplereenroll", device.request("late"), device=device)
    assert status == 200
    assert device.keep(body).not_valid_after_utc > ends


def test_a_renewal_stays_with_its_ca(service: Running, tmp_path: Path) -> None:
    """Also where it is not the first one: sites admit the clients of single CAs."""
    assert counterseal(service.home, "ca", "add", "devices", "--purpose", "client").code == 0
    device = enrolled(service, tmp_path / "d", "pump", "--issuer", "devices")
    before = x509.load_pem_x509_certificate((device.directory / "cert.pem").read_bytes())
    assert "devices" in before.issuer.rfc4514_string()
    csr = device.request("pump")
    status, body, _ = post(
        service,
        "simplereenroll",
        csr,
        secret=prove_possession(device.key, before, base64.b64decode(csr), at=int(time.time())),
    )
    assert status == 200, body
    assert device.keep(body).issuer == before.issuer


def test_a_certificate_renews_itself_and_nothing_else(service: Running, tmp_path: Path) -> None:
    """RFC 7030 4.2.2: subject and names are those of the certificate."""
    device = enrolled(service, tmp_path / "d", "tablet", "--san", "tablet.test")
    assert post(service, "simplereenroll", device.request("tablet", dns="tablet.test"), device=device)[0] == 200
    uses = json.loads(counterseal(service.home, "log", "show", "--limit", "2", "--json").stdout)["key_uses"]
    tokens = json.loads(counterseal(service.home, "token", "list", "--json").stdout)["tokens"]
    (made,) = (one["id"] for one in tokens if one["name"] == "tablet")
    assert [use["actor"] for use in uses] == [f"token:{made}", "est:tablet"]
    for wished in (
        device.request("other", dns="tablet.test"),
        device.request("tablet"),
        device.request("tablet", dns="x.test"),
    ):
        assert post(service, "simplereenroll", wished, device=device)[0] == 403
    assert post(service, "simplereenroll", device.request("tablet", dns="tablet.test"))[0] == 403
    assert post(service, "server/simplereenroll", device.request("tablet", dns="tablet.test"), device=device)[0] == 403


def test_a_server_renews_with_a_proof_of_its_key(service: Running, tmp_path: Path) -> None:
    """TLS takes no server's certificate from a client; the key signs the request instead, and only this one."""
    device = Device.new(tmp_path / "d")
    made = counterseal(service.home, "token", "db.test", "--profile", "server", "--json")
    secret = json.loads(made.stdout)["secret"]
    old = device.keep(post(service, "simpleenroll", device.request(), secret=secret)[1])
    csr, at = device.request("db.test", dns="db.test"), int(time.time())
    proof = prove_possession(device.key, old, base64.b64decode(csr), at=at)
    status, body, _ = post(service, "simplereenroll", csr, secret=proof)
    assert status == 200, body
    assert device.keep(body).serial_number != old.serial_number
    again = device.request("db.test", dns="db.test")  # ECDSA never signs the same way twice
    stale = prove_possession(device.key, old, base64.b64decode(csr), at=at - 3600)
    stranger = prove_possession(ec.generate_private_key(ec.SECP256R1()), old, base64.b64decode(csr), at=at)
    for wrong, wished in ((proof, again), (stale, csr), (stranger, csr)):
        assert post(service, "simplereenroll", wished, secret=wrong)[0] == 400
    assert post(service, "simpleenroll", csr, secret=proof)[0] == 401
    assert counterseal(service.home, "revoke", show_serial(old.serial_number)).code == 0
    assert post(service, "simplereenroll", csr, secret=proof)[0] == 403


@pytest.mark.parametrize(("profile", "lifetime"), [("client", "1h"), ("server", "1h"), ("client", "2s")])
def test_our_own_client_enrols_and_renews(service: Running, tmp_path: Path, profile: str, lifetime: str) -> None:
    """By what ``token`` prints; then with the certificate, also one for servers, and one that has just expired."""
    text = counterseal(service.home, "token", "own.test", "--profile", profile, "--lifetime", lifetime).stdout
    (tmp_path / "token").write_text(text)
    out, away = str(tmp_path / "out"), tmp_path / "no-ca"
    enrolled = counterseal(away, "enroll", service.url, "--token", str(tmp_path / "token"), "--out", out)
    assert enrolled.code == 0, enrolled.stderr
    before = x509.load_pem_x509_certificate((tmp_path / "out" / "own.test.cert.pem").read_bytes())
    while lifetime == "2s" and time.time() <= before.not_valid_after_utc.timestamp() + 1:
        time.sleep(0.05)
    renewed = counterseal(away, "renew", "--server", service.url, "--out", out)
    assert renewed.code == 0, renewed.stderr
    after = x509.load_pem_x509_certificate((tmp_path / "out" / "own.test.cert.pem").read_bytes())
    assert after.subject == before.subject
    assert after.serial_number != before.serial_number


def test_a_request_is_bound_to_its_connection(service: Running, tmp_path: Path) -> None:
    """RFC 7030 3.5: with TLS 1.2 by tls-unique; what is not the connection's, or cannot be checked, is refused."""
    device = enrolled(service, tmp_path / "d", "bound")
    old = ssl.TLSVersion.TLSv1_2
    assert post(service, "simplereenroll", b"TLS-UNIQUE bound", device=device, version=old)[0] == 200
    foreign = device.request("bound", challenge=base64.b64encode(b"foreign"))
    assert post(service, "simplereenroll", foreign, device=device, version=old)[0] == 400
    status, body, _ = post(service, "simplereenroll", foreign, device=device)
    assert (status, b"hint: leave it out" in body) == (400, True)


@pytest.mark.parametrize(
    ("body", "headers", "status", "words"),
    [
        (b"", {}, 400, "the body is empty: it is to be a certification request"),
        (b"%%%", {}, 400, "the body is not base64 of a request in DER"),
        (b"MAA", {}, 400, "the body is not base64 of a request in DER"),
        (b"MAA=", {}, 400, "not a certification request"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n", {}, 400, "hint: "),
        (base64.b64encode(os.urandom(30_000)), {}, 400, "not a certification request"),
        (b"A" * 200_000, {}, 413, "the body is larger than 98304 bytes"),
        (b"MAA=", {"Content-Type": "text/plain"}, 415, "the body is to be application/pkcs10, not text/plain"),
        (b"MAA=", {"Authorization": "Basic %"}, 401, "Basic is not base64 of user and password"),
        (b"MAA=", {"Authorization": "Basic \xe9"}, 401, "Basic is not base64 of user and password"),
        (b"MAA=", {"Authorization": "Basic /w=="}, 401, "Basic is not base64 of user and password"),
        (b"MAA=", {"Authorization": "Bearer \xe9"}, 401, "no such token"),
        (b"MAA=", {"Authorization": "Bearer a.\xe9.c"}, 401, ""),
        (b"MAA=", {"Authorization": "Basic " + base64.b64encode(b"no colon").decode()}, 401, "no such token"),
        (b"MAA=", {"Authorization": "Digest x"}, 401, "Authorization is neither Basic nor Bearer with a token"),
        (b"MAA=", {"Authorization": "Bearer cst_wrong"}, 401, "no such token"),
    ],
)
def test_bad_requests(
    service: Running, any_secret: str, body: bytes, headers: dict[str, str], status: int, words: str
) -> None:
    """Each gets its answer in words, and costs the token nothing."""
    for operation in ("simpleenroll", "serverkeygen"):
        got, said, answered = post(service, operation, body, secret=any_secret, headers=headers)
        assert (got, answered["content-type"].startswith("text/plain")) == (status, True), said
        assert words in said.decode()
        assert ("www-authenticate" in answered) == (status == 401)


@pytest.fixture(scope="module")
def any_secret(service: Running) -> str:
    """Give the secret of a token that nobody uses."""
    return token(service, "nobody")


@pytest.mark.parametrize(("path", "status"), [("nothing/cacerts", 404), ("client/cacerts", 200), ("fullcmc", 404)])
def test_labels(service: Running, path: str, status: int) -> None:
    """A label is a profile."""
    response, body = service.request("GET", f"{EST}/{path}")
    assert response.status == status
    if status == 200:
        assert len(pkcs7.load_der_pkcs7_certificates(base64.b64decode(body))) == 2


NGINX = """
{user}pid {run}/nginx.pid; error_log {run}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {run}/body; proxy_temp_path {run}/proxy; fastcgi_temp_path {run}/f;
    uwsgi_temp_path {run}/u; scgi_temp_path {run}/s;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {home}/out/ca.test.fullchain.pem;
        ssl_certificate_key {home}/out/ca.test.key.pem;
        ssl_client_certificate {home}/clients.pem;
        ssl_verify_client optional;
        ssl_verify_depth 2;
        location / {{
            proxy_pass http://unix:{socket};
            proxy_set_header Host $host;
            proxy_set_header Client-Cert $ssl_client_escaped_cert;
        }}
    }}
}}
"""


@pytest.mark.nginx
def test_behind_nginx_on_a_unix_socket(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The header says who asks; one that a client sends is replaced; over TCP none is believed."""
    base = tmp_path_factory.mktemp("ngx")
    home, socket, port = base / "home", base / "s", free_port()
    public = f"https://localhost:{port}"
    make_ca(home, f'[serve]\npublic_url = "{public}"\ntrust_client_cert = true\n')
    assert counterseal(home, "server", "ca.test", "--san", "localhost", "--out", str(home / "out")).code == 0
    (home / "clients.pem").write_text(
        counterseal(home, "ca", "export", "clients").stdout + (home / "root.pem").read_text()
    )
    (base / "run").mkdir()
    user = worker_user()
    text = NGINX.format(user=f"user {user}; " if user else "", run=base / "run", port=port, home=home, socket=socket)
    (base / "nginx.conf").write_text(text)
    binary = BINARIES["debian"]
    assert binary is not None
    nginx = PrivateNginx(base, binary, base / "nginx.conf")
    with running(home, "--listen", f"unix:{socket}") as service:
        nginx.start(("127.0.0.1", port))
        try:
            device = enrolled(service, base / "device", "sensor")
            assert post(service, "simplereenroll", device.request("sensor"), device=device)[0] == 200
            der = ssl.PEM_cert_to_DER_cert((device.directory / "cert.pem").read_text())
            shown = {"Client-Cert": f":{base64.b64encode(der).decode()}:"}
            assert post(service, "simplereenroll", device.request("sensor"), headers=shown)[0] == 403
        finally:
            nginx.stop()
    (home / "counterseal.toml").write_text("[serve]\ntrust_client_cert = true\n")
    with running(home) as service:
        assert post(service, "simplereenroll", device.request("sensor"), headers=shown)[0] == 403
        assert post(service, "simplereenroll", device.request("sensor"), device=device)[0] == 200


def test_a_trailer_says_nothing_of_who_asks(tmp_path: Path) -> None:
    """A proxy that replaces the header may pass on what comes after a body (RFC 9110 6.5.1): it was believed."""
    home = tmp_path / "home"
    make_ca(home, '[serve]\npublic_url = "https://ca.test"\ntrust_client_cert = true\ntrust_x_real_ip = true\n')
    with running(home, "--listen", f"unix:{home}/s") as service:
        made = counterseal(home, "client", "sensor", "--no-p12", "--out", str(tmp_path))
        assert made.code == 0, made.stderr
        der = ssl.PEM_cert_to_DER_cert((tmp_path / "sensor.cert.pem").read_text())
        identity = b"Client-Cert: :%b:\r\nX-Real-IP: 192.0.2.7\r\n" % base64.b64encode(der)
        body = Device.new(tmp_path / "d").request("sensor")
        chunks = b"%x\r\n%b\r\n0\r\n" % (len(body), body)
        head = (
            b"POST /.well-known/est/simplereenroll HTTP/1.1\r\nHost: ca.test\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: application/pkcs10\r\nConnection: close\r\n"
        )
        trailing, leading = head + b"\r\n" + chunks + identity + b"\r\n", head + identity + b"\r\n" + chunks + b"\r\n"
        for octets, told in ((trailing, (403, None, None)), (leading, (200, "192.0.2.7", "sensor"))):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(home / "s"))
                connection.sendall(octets)
                status = read_answer(connection).status
            line = service.logged("request", status=status)
            assert (status, line["client"], line.get("peer")) == told


def test_one_who_asks_too_often_waits(tmp_path: Path) -> None:
    """He is told for how long; another token, and whoever has none, is not held up by it."""
    home = tmp_path / "home"
    make_ca(home, "[est]\nrequests_per_minute = 1\n")
    with running(home) as service:
        device, secret = Device.new(tmp_path / "d"), token(service, "often", "--uses", "2")
        assert post(service, "simpleenroll", device.request(), secret=secret)[0] == 200
        status, body, headers = post(service, "simpleenroll", device.request(), secret=secret)
        assert (status, body[:18]) == (429, b"too many requests:")
        assert 1 <= int(headers["retry-after"]) <= 60
        assert post(service, "simpleenroll", device.request(), secret=token(service, "other"))[0] == 200
        assert service.request("GET", f"{EST}/cacerts")[0].status == 200
