"""What a stapled response is worth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.handshake.observation import StapleFault
from counterseal.handshake.staple import read_staple
from counterseal.handshake.stapled import Stapled
from pki_fixtures import Issued, remade
from prove_pki import prove_pki
from stapling import response, wrong_response

PKI = prove_pki()


def sent(answer: bytes | None, *chain: Issued) -> Stapled:
    """Return what a server sent."""
    certificates = chain or (PKI.server, PKI.server_ca)
    return Stapled(tuple(one.certificate.public_bytes(Encoding.DER) for one in certificates), answer)


def test_a_good_response() -> None:
    """Signed by the issuer that the chain holds, or that is an anchor."""
    good = response(PKI.server, PKI.server_ca)
    staple = read_staple(sent(good), datetime.now(UTC))
    assert (staple.fault, staple.came, staple.text.startswith("good; from ")) == (None, True, True), staple.text
    ahead = response(PKI.server, PKI.server_ca, age=-timedelta(minutes=2))  # the responder's clock is
    assert read_staple(sent(ahead), datetime.now(UTC)).fault is None
    anchors = (PKI.root.certificate, PKI.server_ca.certificate)
    assert read_staple(sent(good, PKI.server), datetime.now(UTC), anchors).fault is None


@pytest.mark.parametrize(
    ("role", "fault", "words"),
    [
        ("staple-stale", StapleFault.NOT_BELIEVED, "expired: its next_update was"),
        ("staple-early", StapleFault.NOT_BELIEVED, "its this_update lies in the future"),
        ("staple-of-another", StapleFault.NOT_BELIEVED, "answers for none of the certificates"),
        ("staple-forged", StapleFault.NOT_BELIEVED, "signed neither by"),
        ("staple-revoked", StapleFault.NOT_GOOD, "OCSP: revoked at"),
    ],
)
def test_a_wrong_response(role: str, fault: StapleFault, words: str) -> None:
    """Each is told apart, in words that say which."""
    other = PKI.variants["server-stale"][0]
    answer = wrong_response(role, PKI.server, other, PKI.server_ca, PKI.client_ca)
    staple = read_staple(sent(answer), datetime.now(UTC))
    assert (staple.fault, words in staple.text) == (fault, True), staple.text


def test_what_is_no_response() -> None:
    """Octets of any kind, and a response that nobody can verify."""
    assert read_staple(sent(b"\x30\x00"), datetime.now(UTC)).text == "2 octets that are no OCSP response"
    lone = read_staple(sent(response(PKI.server, PKI.server_ca), PKI.server), datetime.now(UTC))
    assert (lone.fault, "no issuer in the chain" in lone.text) == (StapleFault.NOT_BELIEVED, True)
    assert read_staple(Stapled((), b"\x30\x00"), datetime.now(UTC)).fault is StapleFault.NOT_BELIEVED


def test_a_certificate_that_demands_one() -> None:
    """That none came is a fault of another weight there (RFC 7633)."""
    demanding = remade(PKI.server, PKI.server_ca, add=(x509.TLSFeature([x509.TLSFeatureType.status_request]),))
    found = read_staple(sent(None, demanding, PKI.server_ca), datetime.now(UTC))
    assert (found.fault, found.demanded, found.came) == (StapleFault.ABSENT, True, False)
    assert not read_staple(sent(None), datetime.now(UTC)).demanded
