"""What is taken out of a certificate's octets is what the library reads there."""

from __future__ import annotations

import pytest
from cryptography import x509

from chains import Case, cases, resigned, root
from counterseal.pki import der, der_reader
from counterseal.pki.path.candidate import Candidate


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_parts_are_those_of_the_library(case: Case) -> None:
    """Of every certificate at hand."""
    for certificate in (*case.chain, *case.anchors):
        found = Candidate(certificate).octets
        assert found.signed == certificate.tbs_certificate_bytes
        assert (found.issuer, found.subject) == (certificate.issuer.public_bytes(), certificate.subject.public_bytes())
        assert found.algorithm == found.named_algorithm


def test_version_1_has_one_field_less() -> None:
    """RFC 5280 4.1: the version is left out; neither extensions nor unique identifiers follow."""
    old = resigned(root().certificate, root(), lambda fields: fields[1:7])
    assert old.version is x509.Version.v1
    found = Candidate(old).octets
    assert found.issuer == found.subject == root().certificate.subject.public_bytes()


def test_a_name_that_both_have_is_read_once() -> None:
    """The subject above is the issuer below, the very object."""
    lower, upper = (Candidate(one) for one in cases()[0].chain)
    assert lower.names_issuer(upper)
    assert upper.subject is lower.issuer
    assert not upper.names_issuer(lower)


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65_536])
def test_bounds_are_those_of_the_strict_reader(length: int) -> None:
    """With short and long lengths, and something before and behind."""
    data = b"\x05\x00" + der.octet_string(bytes(length)) + b"\x05\x00"
    strict = der_reader.element_at(data, 2, end=len(data))
    assert der_reader.bounds(data, 2) == (strict.start, strict.end)
