"""Checks that need certificates which no builder makes: versions, serial numbers, names that differ in case, bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from chains import DAY, HOST, NOW, ca, end_entity, intermediate, resigned, root
from counterseal.pki import der
from counterseal.pki.path.check import Outcome
from counterseal.pki.path.explain import Explanation, explain
from counterseal.pki.profile import Purpose

if TYPE_CHECKING:
    from collections.abc import Callable

    Fields = list[bytes]


def judge(
    change: Callable[[Fields], Fields], purpose: Purpose = Purpose.SERVER, anchor: x509.Certificate | None = None
) -> Explanation:
    """Explain an end entity whose fields were changed."""
    made = end_entity(intermediate(), purpose).make().certificate
    end = resigned(made, intermediate(), change)
    names = [HOST] if purpose is Purpose.SERVER else []
    return explain(
        end, [intermediate().certificate], [anchor or root().certificate], purpose=purpose, at=NOW, names=names
    )


def outcome(told: Explanation, code: str, position: int) -> set[Outcome]:
    """Return how the checks of a kind ended on one certificate."""
    return {check.outcome for check in told.best.checks if (check.kind.code, check.position) == (code, position)}


def version_1(fields: Fields) -> Fields:
    """Leave out version and extensions."""
    return fields[1:-1]


@pytest.mark.parametrize(("purpose", "expected"), [(Purpose.SERVER, Outcome.FAIL), (Purpose.CLIENT, Outcome.WARN)])
def test_version_1_fails_a_server_and_not_a_client(purpose: Purpose, expected: Outcome) -> None:
    """OpenSSL and nginx accept it from a client."""
    told = judge(version_1, purpose)
    assert outcome(told, "version", 0) == {expected}
    assert told.valid == (purpose is Purpose.CLIENT)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@pytest.mark.parametrize(
    ("serial", "expected"), [(0, Outcome.FAIL), (-5, Outcome.FAIL), (1 << 160, Outcome.FAIL), (1, Outcome.PASS)]
)
def test_serial_numbers_are_positive_and_short(serial: int, expected: Outcome) -> None:
    """RFC 5280 4.1.2.2."""
    octets = serial.to_bytes(serial.bit_length() // 8 + 1, "big", signed=True)
    told = judge(lambda fields: [fields[0], der.wrap(der.INTEGER, octets), *fields[2:]])
    assert outcome(told, "serial_number", 0) == {expected}


def test_an_issuer_that_differs_in_case_is_found_and_said() -> None:
    """RFC 5280 7.1: names are compared without regard to case and repeated blanks."""
    other = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "  Intermediate ")]).public_bytes()
    told = judge(lambda fields: [*fields[:3], other, *fields[4:]])
    assert told.valid
    assert outcome(told, "issuer_name", 0) == {Outcome.WARN}
    assert outcome(told, "signature", 0) == {Outcome.PASS}


def test_two_algorithms_in_one_certificate_are_no_signature() -> None:
    """RFC 5280 4.1.1.2: the one inside what is signed must be the one outside."""
    wrong = der.sequence(der.object_identifier("1.2.840.10045.4.3.3"))
    told = judge(lambda fields: [*fields[:2], wrong, *fields[3:]])
    assert outcome(told, "signature", 0) == {Outcome.FAIL}


def test_a_cross_signed_ca_gives_two_paths_and_the_valid_one_is_first() -> None:
    """The old cross certificate is expired: that path is tried, shown, and not the verdict."""
    old_root = ca("old root", key=root().private_key).make()
    cross = ca("root", old_root, key=root().private_key, end=NOW - DAY).make().certificate
    made = end_entity(intermediate()).make().certificate
    chain = [intermediate().certificate, cross]
    only_old = explain(made, chain, [old_root.certificate], purpose=Purpose.SERVER, at=NOW, names=[HOST])
    both = explain(
        made, chain, [old_root.certificate, root().certificate], purpose=Purpose.SERVER, at=NOW, names=[HOST]
    )
    assert [(check.kind.code, check.position) for check in only_old.best.failures] == [("validity", 2)]
    assert both.valid
    assert len(both.best.certificates) == 3


def test_a_trusted_end_entity_needs_no_path() -> None:
    """It is its own anchor."""
    made = end_entity(intermediate()).make().certificate
    told = explain(made, [], [made], purpose=Purpose.SERVER, at=NOW, names=[HOST])
    assert (told.valid, len(told.best.certificates)) == (True, 1)
