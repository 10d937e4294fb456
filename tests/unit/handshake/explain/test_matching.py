"""Which of the user's own certificates a server would take, and which of them a browser would offer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from counterseal.handshake.explain.matching import OwnCertificate, match_own
from counterseal.handshake.wire.messages import CertificateRequest
from explained import explained
from pki_fixtures import Issued, key_of, make_client
from prove_pki import prove_pki

PKI = prove_pki()
AT = datetime(2026, 6, 1, tzinfo=UTC)
EVERY_SCHEME = (0x0403, 0x0807, 0x0804)
NAMES = (PKI.root.certificate.subject.public_bytes(),)
REQUEST = CertificateRequest(EVERY_SCHEME, NAMES)


@pytest.mark.parametrize(
    ("chain", "request_", "fits", "offered", "reason"),
    [
        ((PKI.good, PKI.client_ca), REQUEST, True, True, None),
        ((PKI.foreign,), REQUEST, False, False, "its CA is not among the accepted ones: CN=Lone Root"),
        ((PKI.foreign,), CertificateRequest(EVERY_SCHEME), True, True, None),
        ((PKI.expired, PKI.client_ca), REQUEST, True, False, "out of its dates: 2025-03-01 to 2025-06-01"),
        ((PKI.server, PKI.server_ca), REQUEST, True, False, "no clientAuth"),
        ((PKI.good, PKI.client_ca), CertificateRequest((0x0804,), NAMES), False, False, "ECDSA P-256"),
        (
            (make_client(PKI.client_ca, "modern", key=key_of("ed25519")), PKI.client_ca), REQUEST, True, False,
            "browsers do not import",
        ),
    ],
    ids=["good", "foreign", "no CA named", "expired", "for servers", "no scheme for its key", "ed25519"],
)  # fmt: skip
def test_a_certificate_against_a_request(
    chain: tuple[Issued, ...], request_: CertificateRequest, *, fits: bool, offered: bool, reason: str | None
) -> None:
    """By the CAs, the kinds of signature, and what Chromium leaves out."""
    own = OwnCertificate("mine", tuple(one.certificate for one in chain))
    (match,) = match_own(request_, [own], AT)
    assert (match.fits, match.offered_by_browser) == (fits, offered)
    assert reason is None or reason in " ".join(match.reasons)
    assert bool(match.reasons) is (reason is not None)


def test_what_fits_comes_first_and_of_that_what_a_browser_offers() -> None:
    """However they were handed in."""
    chains = {"foreign": (PKI.foreign,), "expired": (PKI.expired, PKI.client_ca), "good": (PKI.good, PKI.client_ca)}
    own = [OwnCertificate(name, tuple(one.certificate for one in chain)) for name, chain in chains.items()]
    assert [match.name for match in explained("nginx-1.3-mutual", own=own).matches] == ["good", "expired", "foreign"]
