"""Every check of path validation fires where it should, at the certificate it should, and nowhere else."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from chains import Case, cases
from counterseal.errors import InputError
from counterseal.pki.path.catalogue import KINDS
from counterseal.pki.path.check import Outcome
from counterseal.pki.path.explain import Explanation, PathReport, explain

if TYPE_CHECKING:
    from cryptography import x509

    from counterseal.pki.path.candidate import Given

# These are tested by themselves, in test_by_hand.py, test_ocsp.py and test_fuzz.py: no builder makes what they need.
MADE_BY_HAND = {"version", "serial_number", "issuer_name", "search", "ocsp"}


BY_NAME = {case.name: case for case in cases()}


@cache
def answer(name: str) -> Explanation:
    """Put the question of a case, once."""
    case = BY_NAME[name]
    return explain(
        case.chain[0],
        case.chain[1:],
        case.anchors,
        purpose=case.purpose,
        at=case.at,
        names=case.names,
        crls=case.lists,
        depth=case.depth,
    )


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_check_that_should_fail_is_the_one_that_fails(case: Case) -> None:
    """Its code and its position on the path; all the others pass."""
    best = answer(case.name).best
    assert {(check.kind.code, check.position) for check in best.failures} == set(case.fails), best.failures
    assert best.valid == (not case.fails)
    assert set(case.warns) <= {(check.kind.code, check.position) for check in best.warnings}


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_every_message_holds_its_values(case: Case) -> None:
    """They are put into the text when it is read, so each brace must have found its value."""
    for path in answer(case.name).paths:
        assert [check.message for check in path.checks if set("{}<>") & set(check.message)] == []


@pytest.mark.parametrize("code", sorted({kind.code for kind in KINDS} - MADE_BY_HAND))
def test_every_kind_fails_somewhere_and_passes_somewhere(code: str) -> None:
    """No check is without its two cases."""
    outcomes = {check.outcome for case in cases() for check in answer(case.name).best.checks if check.kind.code == code}
    assert {Outcome.PASS, Outcome.FAIL} <= outcomes


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_every_check_of_a_bad_chain_is_still_made(case: Case) -> None:
    """The first failure does not end the explanation: as many dates are compared as there are certificates."""
    best = answer(case.name).best
    for code in ("validity", "extensions", "version", "serial_number", "key_strength", "critical_extensions"):
        looked_at = {check.position for check in best.checks if check.kind.code == code}
        assert looked_at == set(range(len(best.certificates)))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_der_is_judged_as_the_certificate_is(case: Case) -> None:
    """Every message of every path is the same."""
    end, *others = map(der_of, case.chain)
    told = explain(
        end,
        others,
        list(map(der_of, case.anchors)),
        purpose=case.purpose,
        at=case.at,
        names=case.names,
        crls=case.lists,
        depth=case.depth,
    )
    known = answer(case.name)
    assert [path.certificates for path in told.paths] == [path.certificates for path in known.paths]
    assert [messages(path) for path in told.paths] == [messages(path) for path in known.paths]


def test_octets_that_are_no_certificate_are_refused_where_they_are_looked_at() -> None:
    """Beside the path nobody does."""
    case, no_certificate = BY_NAME["good server"], b"no certificate"

    def told(*chain: Given) -> Explanation:
        end, *others = chain
        return explain(end, others, case.anchors, purpose=case.purpose, at=case.at, names=case.names)

    assert told(case.chain[0], no_certificate, *case.chain[1:]).valid
    with pytest.raises(InputError, match="the certificate cannot be read"):
        told(no_certificate, *case.chain[1:])


def der_of(certificate: x509.Certificate) -> bytes:
    """Return the DER."""
    return certificate.public_bytes(Encoding.DER)


def messages(path: PathReport) -> list[str]:
    """Return what every check says."""
    return [check.message for check in path.checks]
