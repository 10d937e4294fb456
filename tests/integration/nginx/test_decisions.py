"""Who gets in and who does not, on every nginx at hand, and what a refused one is told."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from counterseal.nginx.site import Admit, ClientCertificates, Revocation
from integration.nginx.lab import FAR, FARTHER, YESTERDAY, authority, client, crl, material
from integration.nginx.visitor import Visitor, send_plainly

if TYPE_CHECKING:
    from integration.nginx.conftest import Start

pytestmark = pytest.mark.nginx

PROBE = "/.well-known/counterseal"
ALICE = "CN=alice,OU=eng,O=Lab"


def test_a_good_certificate_is_admitted_over_both_protocols(start: Start) -> None:
    """The probe location answers with the line, generation and serial number included."""
    port = start()
    alice = client(ALICE)
    for version, shown in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        answer = Visitor(port, alice, version=version).get(PROBE)
        serial = f"{alice.certificate.serial_number:X}"
        serial = serial if len(serial) % 2 == 0 else f"0{serial}"
        assert answer.status == 200
        assert answer.line == ("7", "panel", "admitted", "200", "SUCCESS", serial, ".", shown)
        assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("certificate", "title"),
    [
        ({"expires": YESTERDAY}, "Certificate expired"),
        ({"created": FAR, "expires": FARTHER}, "Certificate not valid yet"),
        ({"purpose": ExtendedKeyUsageOID.SERVER_AUTH}, "Not a client certificate"),
        ({"ca": "partners"}, "Certificate of another issuer"),
        ({"ca": "foreign"}, "Certificate of another issuer"),
    ],
)
def test_a_refused_client_is_told_why(start: Start, certificate: dict[str, Any], title: str) -> None:
    """Status 400, the reason as title, and the machine-readable line inside the page."""
    port = start()
    answer = Visitor(port, client(ALICE, **certificate), issuer=certificate.get("ca", "staff")).get()
    assert (answer.status, answer.title, answer.decision) == (400, title, "refused 495")
    assert answer.headers["content-type"].startswith("text/html")


def test_an_unknown_issuer_without_its_chain_is_told_so(start: Start) -> None:
    """The certificate alone, from a CA that nginx has never seen."""
    answer = Visitor(start(), client(ALICE, ca="foreign"), issuer=None).get()
    assert (answer.status, answer.title) == (400, "Issuer not known here")


def test_no_certificate_is_refused(start: Start) -> None:
    """Where one is required, also on the probe location."""
    port = start()
    for path in ("/", PROBE, "/no/such/page"):
        answer = Visitor(port).get(path)
        assert (answer.status, answer.title, answer.decision) == (400, "No certificate was sent", "refused 496")


@pytest.mark.parametrize("mode", [Revocation.CRL, Revocation.MAP, Revocation.BOTH])
def test_a_revoked_certificate_is_refused_in_every_mode(start: Start, mode: Revocation) -> None:
    """By CRL in the handshake, by map per request, by both; another certificate still passes."""
    bob = client("CN=bob,O=Lab")
    port = start(material(revoked=[bob]), revocation=mode)
    answer = Visitor(port, bob).get()
    assert (answer.status, answer.title, answer.decision) == (400, "Certificate revoked", "refused 495")
    assert answer.line[4] == ("SUCCESS" if mode is Revocation.MAP else "FAILED:certificate revoked")
    assert Visitor(port, client(ALICE)).get(PROBE).decision == "admitted"


def test_the_map_alone_needs_no_crl(start: Start) -> None:
    """In map mode an expired CRL locks nobody out, because nginx has none."""
    port = start(material(crl_pem=crl("root", expires=YESTERDAY)), revocation=Revocation.MAP)
    assert Visitor(port, client(ALICE)).get(PROBE).decision == "admitted"


def test_a_stale_crl_refuses_everybody_and_says_whose_fault_it_is(start: Start) -> None:
    """The page blames the operator, not the client."""
    stale = crl("root") + crl("staff", expires=YESTERDAY)
    answer = Visitor(start(material(crl_pem=stale)), client(ALICE)).get()
    assert (answer.status, answer.title) == (400, "List of revocations out of order")


def test_only_known_certificates_pass_where_asked(start: Start) -> None:
    """One that a stolen CA key might have made verifies and is refused."""
    alice, forged = client(ALICE), client("CN=forged,O=Lab")
    port = start(material(known=[alice]), admit=Admit.KNOWN)
    assert Visitor(port, alice).get(PROBE).decision == "admitted"
    answer = Visitor(port, forged).get()
    assert (answer.status, answer.title, answer.decision) == (400, "Certificate unknown", "refused 495")


def test_optional_lets_nobody_in_anonymously_with_a_bad_certificate(start: Start) -> None:
    """None is fine, a good one is admitted, a revoked, foreign or expired one is refused."""
    bob = client("CN=bob,O=Lab")
    given = material(revoked=[bob])
    port = start(given, client_certificates=ClientCertificates.OPTIONAL, revocation=Revocation.MAP)
    assert Visitor(port).get(PROBE).line[2:5] == ("admitted", "200", "NONE")
    assert Visitor(port, client(ALICE)).get(PROBE).line[2:5] == ("admitted", "200", "SUCCESS")
    for bad in (bob, client(ALICE, ca="partners"), client(ALICE, expires=YESTERDAY)):
        issuer = "partners" if bad.certificate.issuer == authority("partners").certificate.subject else "staff"
        assert Visitor(port, bad, issuer=issuer).get(PROBE).decision == "refused 495"


def test_none_asks_for_nothing(start: Start) -> None:
    """A one-way site admits everybody and requests no certificate."""
    port = start(client_certificates=ClientCertificates.NONE, client_cas=())
    assert Visitor(port).get(PROBE).line[2:5] == ("admitted", "200", "NONE")
    assert Visitor(port, client(ALICE)).get(PROBE).line[4] == "NONE"


def test_two_client_cas_are_both_admitted(start: Start) -> None:
    """A site names those it wants."""
    port = start(client_cas=("staff", "partners"))
    assert Visitor(port, client(ALICE)).get(PROBE).decision == "admitted"
    assert Visitor(port, client(ALICE, ca="partners"), issuer="partners").get(PROBE).decision == "admitted"


def test_a_handshake_without_the_right_server_name_is_rejected(start: Start) -> None:
    """No SNI and a foreign SNI end in a TLS alert, before any HTTP."""
    port = start()
    for name in (None, "other.test"):
        with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
            Visitor(port, client(ALICE), server_name=name).get()


def test_another_host_than_the_server_name_is_misdirected(start: Start) -> None:
    """SNI of the site, Host of nobody: 421 with a page."""
    answer = Visitor(start(), client(ALICE)).get(host="other.test")
    assert (answer.status, answer.title, answer.decision) == (421, "Wrong connection for this name", "refused 421")


def test_plain_http_on_the_tls_port_is_explained(start: Start) -> None:
    """With and without the name of the site."""
    port = start()
    for host in ("panel.test", "other.test"):
        answer = send_plainly(port, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
        assert (answer.status, answer.title, answer.decision) == (400, "This port speaks HTTPS", "refused 497")


@pytest.mark.parametrize(
    "request_text",
    [
        "GET /\x01 HTTP/1.1\r\nHost: panel.test\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: panel.test\r\n\r\n",
        "GET /../.. HTTP/1.1\r\nHost: panel.test\r\n\r\n",
        "GARBAGE\r\n\r\n",
    ],
)
def test_a_malformed_request_gets_400_and_its_own_page(start: Start, request_text: str) -> None:
    """A certificate holder is told that it is not about the certificate; nginx never answers with a server error."""
    answer = Visitor(start(), client(ALICE)).send(request_text)
    assert (answer.status, answer.title, answer.decision) == (400, "Request not understood", "refused 400")


@pytest.mark.parametrize(
    ("status", "long"),
    [
        (400, "GET / HTTP/1.1\r\nHost: panel.test\r\nCookie: {}\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nCookie: {}\r\nHost: panel.test\r\n\r\n"),
        (414, "GET /{} HTTP/1.1\r\nHost: panel.test\r\n\r\n"),
    ],
    ids=["cookies", "before the host", "address"],
)
def test_a_request_that_is_too_large_gets_its_own_page(start: Start, status: int, long: str) -> None:
    """Nginx knows neither host nor path by then; in its own page nobody would look for cookies.

    It takes lines of 8 KiB. All is one TLS record: while more were being sent it would answer and hang up.
    """
    answer = Visitor(start(), client(ALICE)).send(long.format("x" * 9_000))
    assert (answer.status, answer.title, answer.decision) == (status, "Request too large", "refused 494")


def test_the_page_of_a_malformed_request_cannot_be_asked_for(start: Start) -> None:
    """It is internal, and stands behind the checks."""
    port = start()
    assert Visitor(port, client(ALICE)).get("/.well-known/counterseal/malformed").status == 404
    assert Visitor(port).get("/.well-known/counterseal/malformed").decision == "refused 496"


def test_trusted_certificates_are_the_admitted_ones_only(start: Start) -> None:
    """A foreign client stays out although it sends its own root along."""
    answer = Visitor(start(), client(ALICE, ca="foreign"), issuer="foreign").get()
    assert answer.decision == "refused 495"


def test_sessions_are_never_resumed(start: Start) -> None:
    """A session offered again ends in a full handshake, over both protocols."""
    port = start()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        visitor = Visitor(port, client(ALICE), version=version)
        request = f"GET {PROBE} HTTP/1.1\r\nHost: panel.test\r\nConnection: close\r\n\r\n"
        _, session, _ = visitor.exchange(request)
        answer, _, reused = visitor.exchange(request, session=session)
        assert (reused, answer.line[6]) == (False, ".")
