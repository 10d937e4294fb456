"""Which certificate issued which, and whether those of a file are in the order that TLS sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from counterseal.pki.relations import Pool, arrangement, is_issued_by, is_signed_by, order_findings
from pki_fixtures import CERTIFICATE_CREATED, CERTIFICATE_EXPIRES, make_ca, pki

if TYPE_CHECKING:
    from collections.abc import Sequence

PKI = pki()
ROOT, SERVER_CA, CLIENT_CA = PKI.root.certificate, PKI.server_ca.certificate, PKI.client_ca.certificate
SERVER, CLIENT, LONE = PKI.server.certificate, PKI.client.certificate, PKI.lone_root.certificate
OTHER_ROOT = make_ca("Test Root").certificate  # the same name, another key


def test_issuers_are_found_by_name_and_signature() -> None:
    """A CA of the same name and another key is not the issuer."""
    pool = Pool([OTHER_ROOT, ROOT, SERVER_CA])
    assert pool.issuer_of(SERVER_CA) == ROOT
    assert pool.issuer_of(ROOT) == ROOT
    assert pool.path_of(SERVER) == (SERVER_CA, ROOT)
    assert Pool([OTHER_ROOT]).issuer_of(SERVER_CA) is None
    assert not is_issued_by(SERVER, CLIENT_CA)


@pytest.mark.parametrize(
    ("certificates", "words", "codes"),
    [
        ([SERVER], None, []),
        ([SERVER, SERVER_CA], "a chain in the order", []),
        ([SERVER, SERVER_CA, ROOT], "a chain in the order", ["bundle.trust_anchor"]),
        ([ROOT, SERVER_CA, LONE], "3 CA certificates", []),
        ([SERVER_CA, SERVER], "not one chain", ["bundle.order"]),
        ([SERVER, ROOT, SERVER_CA], "not one chain", ["bundle.order", "bundle.order"]),
        ([SERVER, CLIENT_CA], "not one chain", ["bundle.order"]),
        ([SERVER, SERVER_CA, SERVER_CA], "not one chain", ["bundle.duplicate", "bundle.order"]),
        ([SERVER, CLIENT], "2 end-entity and 0 CA", []),
    ],
)
def test_order(certificates: Sequence[x509.Certificate], words: str | None, codes: list[str]) -> None:
    """One end entity and then its issuers; several, or CAs alone, have no order."""
    told = arrangement(certificates)
    assert told is None if words is None else words in str(told)
    assert [finding.code for finding in order_findings(certificates)] == codes


def test_the_signer_of_a_list() -> None:
    """By its key; a name alone is not enough."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(ROOT.subject)
    builder = builder.last_update(CERTIFICATE_CREATED).next_update(CERTIFICATE_EXPIRES)
    crl = builder.sign(PKI.root.private_key, hashes.SHA256())
    assert is_signed_by(crl, ROOT)
    assert not is_signed_by(crl, OTHER_ROOT)


def test_a_hostile_bundle_costs_no_more_than_a_large_one() -> None:
    """Breaks of the order are told up to a few, a path ends somewhere, and a CA given many times hides no other."""
    findings = list(order_findings([SERVER, *[ROOT, SERVER_CA, CLIENT_CA] * 20]))
    assert sum(finding.code == "bundle.order" for finding in findings) == 10
    assert Pool([OTHER_ROOT] * 50 + [ROOT]).issuer_of(SERVER_CA) == ROOT
    chain = [make_ca("CA 0")]
    for number in range(1, 20):
        chain.append(make_ca(f"CA {number}", chain[-1]))
    assert len(Pool(one.certificate for one in chain).path_of(chain[-1].certificate)) == 16
