"""What each side checks of the other's certificate: who is trusted, under which name, and what only shows by a name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from counterseal.handshake.explain.checks import Anchors, check_client, check_server
from counterseal.handshake.explain.likely import likely_error
from counterseal.handshake.explain.server_fault import server_fault
from counterseal.handshake.explain.story import Story
from counterseal.handshake.stapled import Stapled
from counterseal.handshake.wire.messages import CertificateRequest
from counterseal.pki.path.check import Outcome
from prove_pki import prove_pki

if TYPE_CHECKING:
    from counterseal.pki.path.explain import PathReport
    from pki_fixtures import Issued

PKI = prove_pki()
AT = datetime(2026, 6, 1, tzinfo=UTC)
ROOT = Anchors((PKI.root.certificate,), (PKI.root.certificate,))
NAMED = CertificateRequest((), (PKI.root.certificate.subject.public_bytes(),))


def octets(*chain: Issued) -> tuple[bytes, ...]:
    """Return a chain as it is sent."""
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - only here

    return tuple(one.certificate.public_bytes(Encoding.DER) for one in chain)


def outcomes(report: PathReport | None, code: str) -> list[Outcome]:
    """Return how the checks of one kind ended."""
    assert report is not None
    return [check.outcome for check in report.checks if check.kind.code == code]


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("panel.prove.test", Outcome.PASS),
        ("elsewhere.test", Outcome.FAIL),
        ("127.0.0.1", Outcome.FAIL),
        ("not a name", Outcome.FAIL),
        (None, Outcome.SKIP),
    ],
)
def test_the_name_is_compared(name: str | None, outcome: Outcome) -> None:
    """A host, an address, and what is neither."""
    report = check_server(Story(server_chain=octets(PKI.server, PKI.server_ca)), name, ROOT, AT)
    assert outcome in outcomes(report, "name")


def test_a_chain_that_cannot_be_read_is_no_chain() -> None:
    """Whatever the peer sent."""
    assert check_server(Story(server_chain=(b"\x30\x00",)), None, ROOT, AT) is None
    assert check_client(Story(client_chain=()), ROOT, AT) is None
    assert server_fault(None, AT) is None
    assert likely_error(Story(), (), AT) is None


def test_a_root_that_is_not_at_hand_is_taken_by_its_name() -> None:
    """Said as not looked at; and with the root at hand it is looked at."""
    story = Story(client_chain=octets(PKI.good, PKI.client_ca), request=NAMED)
    by_name, at_hand = check_client(story, Anchors(), AT), check_client(story, ROOT, AT)
    assert outcomes(by_name, "trust_anchor") == [Outcome.SKIP]
    assert outcomes(at_hand, "trust_anchor") == [Outcome.PASS]
    assert outcomes(by_name, "accepted_ca") == outcomes(at_hand, "accepted_ca") == [Outcome.PASS]


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ((PKI.good, PKI.client_ca), None),
        ((PKI.expired, PKI.client_ca), 10),
        ((PKI.server, PKI.server_ca), 26),
        ((PKI.foreign,), 21),
        ((PKI.foreign, PKI.foreign_root), 19),
    ],
)
def test_the_error_that_openssl_would_report(chain: tuple[Issued, ...], expected: int | None) -> None:
    """Without the server's files: what the certificate alone explains."""
    assert likely_error(Story(client_chain=octets(*chain), request=NAMED), (), AT) == expected


def test_without_the_demand_nothing_is_said_of_stapling() -> None:
    """Whatever was seen; a certificate with it meets real servers in tests/integration/handshake."""
    story = Story(server_chain=octets(PKI.server, PKI.server_ca))
    assert outcomes(check_server(story, None, ROOT, AT, stapled=Stapled((), None)), "must_staple") == []
