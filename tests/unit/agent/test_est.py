"""What the answers of an EST service mean, and whom a client trusts."""

from __future__ import annotations

import base64
import json
import ssl
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from counterseal.agent.address import ServerAddress
from counterseal.agent.est import EST
from counterseal.agent.exchange import Answer
from counterseal.agent.request import first_request, next_request
from counterseal.agent.trust import Trust, parse_fingerprint, path_to_root, show_fingerprint, trust
from counterseal.errors import CountersealError, InputError, RefusedError, RemoteError
from counterseal.pki.csr import parse_csr
from counterseal.pki.names import parse_name
from counterseal.pki.subject import show_subject
from pki_fixtures import make_ca, make_client, new_key, pki
from tls_answers import saying, tls_serving

if TYPE_CHECKING:
    from pathlib import Path

    from pki_fixtures import Issued

NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
SERVER = ServerAddress("ca.example.com", 8443)
CSR = first_request(new_key(), "pump-7")


def certs_only(*issued: Issued) -> bytes:
    """Return the body of an answer, as the library writes PKCS#7."""
    return base64.encodebytes(pkcs7.serialize_certificates([one.certificate for one in issued], Encoding.DER))


def answering(status: int, body: bytes = b"", **headers: str) -> EST:
    """Return a service that gives this answer to everything."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}

    def ask(*_: object, **__: object) -> Answer:
        return Answer(status, fields, body)

    return EST(SERVER, NOBODY, ask)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (202, RemoteError, "est.pending"),
        (204, RemoteError, "est.failed"),
        (307, RemoteError, "est.redirect"),
        (400, RefusedError, "est.refused"),
        (401, RefusedError, "est.unauthorized"),
        (403, RefusedError, "est.forbidden"),
        (404, RemoteError, "est.absent"),
        (429, RemoteError, "est.busy"),
        (500, RemoteError, "est.failed"),
        (503, RemoteError, "est.busy"),
    ],
)
def test_every_status_has_its_meaning(status: int, kind: type[CountersealError], code: str) -> None:
    """A refusal is told from a failure, and what the service said is shown, harmless to a terminal."""
    problem = json.dumps({"detail": "no \x1b[31mred\x1b[0m pumps"}).encode()
    with pytest.raises(kind) as caught:
        answering(status, problem, content_type="application/problem+json").simpleenroll(CSR, secret="s")
    assert caught.value.code == code
    assert "\x1b" not in caught.value.message
    assert status in {202, 307} or "pumps" in caught.value.message


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"detail": ' + b"9" * 6_000 + b"}", b"[]", b"{"])
def test_words_that_are_none_are_not_said(body: bytes) -> None:
    """The status is; of JSON without end, too."""
    with pytest.raises(RefusedError) as caught:
        answering(400, body, content_type="application/problem+json").simpleenroll(CSR, secret="s")
    assert (caught.value.code, "status 400" in caught.value.message) == ("est.refused", True)


def test_the_hint_of_the_service_is_passed_on() -> None:
    """A refusal in plain text (RFC 7030 4.2.3) with every reason, and what to do."""
    body = b"refused\nthe key is weak\nhint: make a P-256 key\n"
    with pytest.raises(RefusedError) as caught:
        answering(403, body, content_type="text/plain; charset=utf-8").simplereenroll(CSR)
    assert caught.value.message.endswith("refuses: refused; the key is weak")
    assert caught.value.hint == "make a P-256 key"


@pytest.mark.parametrize(
    ("headers", "seconds"), [({"retry_after": "7"}, "7 s"), ({"retry_after": "Thu, 1 Jan"}, "60 s"), ({}, "60 s")]
)
def test_when_to_come_again_is_said(headers: dict[str, str], seconds: str) -> None:
    """A date, or nothing, counts as a minute."""
    with pytest.raises(RemoteError) as caught:
        answering(503, b"", **headers).simplereenroll(CSR)
    assert seconds in str(caught.value.hint)


@pytest.mark.parametrize("body", [b"", b"<html>", b"AAAA", base64.b64encode(b"0\x00"), b"\xff" * 50, b"[]"])
def test_a_body_without_certificates_is_refused(body: bytes) -> None:
    """Whatever it is."""
    with pytest.raises(RemoteError) as caught:
        answering(200, body, content_type="text/html").cacerts()
    assert caught.value.code == "est.malformed"


def test_a_certificate_for_another_key_is_refused() -> None:
    """It would be of no use, and is not what was asked for."""
    with pytest.raises(RemoteError) as caught:
        answering(200, certs_only(pki().client)).simpleenroll(CSR, secret="s")
    assert caught.value.code == "est.other_key"


def test_the_next_request_says_what_the_certificate_says() -> None:
    """Subject and names, which the service compares (RFC 7030 4.2.2)."""
    first = first_request(new_key("ed25519"), "pump-7", (parse_name("DNS:pump-7.example.com"),))
    csr = parse_csr(first.public_bytes(Encoding.DER))
    assert (show_subject(csr.subject), len(csr.names)) == ("CN=pump-7", 1)
    server = pki().server.certificate
    again = parse_csr(next_request(new_key(), server).public_bytes(Encoding.DER))
    assert again.subject == server.subject
    assert len(again.names) == 2
    unnamed = parse_csr(first_request(new_key(), None).public_bytes(Encoding.DER))
    assert (show_subject(unnamed.subject), unnamed.names) == ("", ())


def test_the_path_ends_at_the_pinned_root() -> None:
    """Not at another one that the service offers too."""
    fixture = pki()
    authorities = tuple(one.certificate for one in (fixture.lone_root, fixture.root, fixture.client_ca))
    client = fixture.client.certificate
    chain, anchor = path_to_root(SERVER, client, Trust(NOBODY, authorities, fixture.root.certificate))
    assert (chain, anchor) == ((fixture.client_ca.certificate,), fixture.root.certificate)
    for wrong in (
        Trust(NOBODY, authorities, fixture.lone_root.certificate),
        Trust(NOBODY, authorities[:2]),
    ):
        with pytest.raises(RemoteError) as caught:
            path_to_root(SERVER, client, wrong)
        assert caught.value.code == "est.path"


def test_a_root_of_the_same_name_and_another_key_does_not_do() -> None:
    """Signatures count, names do not."""
    fixture = pki()
    forged = make_client(make_ca("Test Client CA", make_ca("Test Root")), "pump-7").certificate
    authorities = (fixture.root.certificate, fixture.client_ca.certificate)
    with pytest.raises(RemoteError):
        path_to_root(SERVER, forged, Trust(NOBODY, authorities, fixture.root.certificate))


@pytest.mark.parametrize("text", ["sha256:{}", "{}", "SHA-256:{}"])
def test_a_fingerprint_is_read_in_every_spelling(text: str) -> None:
    """As openssl, browsers and we write it."""
    plain = show_fingerprint(pki().root.certificate)
    colons = ":".join(plain[at : at + 2] for at in range(0, 64, 2)).upper()
    assert parse_fingerprint(text.format(plain)) == parse_fingerprint(text.format(colons)) == bytes.fromhex(plain)
    with pytest.raises(InputError):
        parse_fingerprint(text.format(plain[:-2]))


def test_trust_begins_with_a_fingerprint_or_not_at_all(tmp_path: Path) -> None:
    """The right one pins the root; a wrong one, an issuing CA's and none are refused, and nothing was sent."""
    fixture = pki()
    body = certs_only(fixture.server_ca, fixture.root)
    chain = (fixture.server, fixture.server_ca)
    with tls_serving(tmp_path, chain, saying("200 OK\r\nContent-Type: application/pkcs7-mime", body)) as server:

        def tried(of: Issued | None, anchors: bytes | None = None) -> Trust:
            pin = bytes.fromhex(show_fingerprint(of.certificate)) if of else None
            return trust(server, fingerprint=pin, anchors=anchors)

        assert tried(fixture.root).pinned == fixture.root.certificate
        refusals: dict[str, Any] = {"est.wrong_ca": fixture.lone_root, "est.no_root": fixture.server_ca}
        for code, of in {**refusals, "est.unknown_ca": None}.items():
            with pytest.raises(CountersealError) as caught:
                tried(of)
            assert caught.value.code == code
            assert code != "est.unknown_ca" or show_fingerprint(fixture.root.certificate) in str(caught.value.hint)
        root, lone = (one.certificate.public_bytes(Encoding.PEM) for one in (fixture.root, fixture.lone_root))
        assert tried(None, root).pinned is None
        with pytest.raises(RemoteError) as untrusted:
            tried(None, lone)
        assert untrusted.value.code == "remote.untrusted"
