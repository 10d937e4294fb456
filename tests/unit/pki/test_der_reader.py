"""Reading DER: what is refused, and that what `der` writes comes back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterseal.errors import InputError
from counterseal.pki import der, der_reader


@given(st.integers(-(1 << 200), 1 << 200))
def test_integers_come_back(value: int) -> None:
    """What `der.integer` writes reads as the same number."""
    assert der_reader.as_integer(der_reader.read(der.integer(value))) == value


@given(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 1 << 64), max_size=8))
def test_object_identifiers_come_back(first: int, second: int, rest: list[int]) -> None:
    """Every object identifier reads as it was written, large arcs too."""
    dotted = ".".join(map(str, (first, second, *rest)))
    assert der_reader.as_object_identifier(der_reader.read(der.object_identifier(dotted))) == dotted


@given(st.datetimes(min_value=datetime(1950, 1, 1)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_times_come_back(moment: datetime) -> None:
    """Times read as they were written, on both sides of 2050."""
    expected = moment.replace(microsecond=0, tzinfo=UTC)
    assert der_reader.as_time(der_reader.read(der.time(expected))) == expected


@pytest.mark.parametrize(
    ("octets", "complaint"),
    [
        ("", "cut short"),
        ("30", "cut short"),
        ("3080 0000", "indefinite"),
        ("3081 05", "shortest form"),
        ("3082 0005", "shortest form"),
        ("3003 0201", "3 bytes announced, 2 there"),
        ("1f8101 00", "several octets"),
        ("0500 00", "1 bytes after the end"),
        ("3089 010101010101010101", "indefinite or cut short"),
    ],
)
def test_malformed_elements_are_refused(octets: str, complaint: str) -> None:
    """Each way to break an element is named."""
    with pytest.raises(InputError, match=complaint) as caught:
        der_reader.read(bytes.fromhex(octets))
    assert caught.value.code == "der.malformed"


def test_a_child_may_not_reach_past_its_parent() -> None:
    """A length that is fine for the buffer but not for the parent is refused."""
    with pytest.raises(InputError, match="announced"):
        der_reader.read(bytes.fromhex("3004 3003 0201")).children()


@pytest.mark.parametrize(
    "octets",
    [
        "170b 32363031303130303030 5a",
        "170d 323630313332303030303030 5a",
        "0200",
        "1801 5a",
        "170d 3236c2b9303130303030305a",
    ],
)
def test_times_outside_the_standard_form_are_refused(octets: str) -> None:
    """Seconds left out, day 32, another type, no digits."""
    with pytest.raises(InputError):
        der_reader.as_time(der_reader.read(bytes.fromhex(octets)))


def test_an_endless_object_identifier_is_refused() -> None:
    """An arc of thousands of digits would cost time to print."""
    with pytest.raises(InputError, match="no object identifier"):
        der_reader.as_object_identifier(der_reader.read(der.wrap(der.OBJECT_IDENTIFIER, b"\xff" * 5000 + b"\x01")))


@given(st.binary(max_size=64))
def test_any_bytes_read_or_are_refused(octets: bytes) -> None:
    """Nothing but InputError ever comes out, and what reads is exactly what was there."""
    try:
        element = der_reader.read(octets)
        for child in element.children():
            assert element.start <= child.first < child.end <= element.end
    except InputError:
        return
    assert element.whole == octets
