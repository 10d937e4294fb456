"""What is laid down comes back, and what a certificate can be found by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterseal.store.rows import (
    backward,
    decode_names,
    decode_serial,
    encode_names,
    encode_serial,
    search_values,
)
from store_fixtures import certificate

TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\\\n\0n0"), min_size=1)


@given(st.lists(TEXT).map(tuple))
def test_any_names_come_back(names: tuple[str, ...]) -> None:
    """Line feeds, NUL and backslashes included: a foreign certificate may hold anything."""
    assert decode_names(encode_names(names)) == names


@given(st.lists(TEXT, min_size=1).map(tuple))
def test_laid_down_names_hold_no_nul(names: tuple[str, ...]) -> None:
    """PostgreSQL has no NUL in text, and SQLite's own functions stop at one."""
    assert "\0" not in encode_names(names)


@given(st.integers(0, (1 << 160) - 1), st.integers(0, (1 << 160) - 1))
def test_serial_numbers_order_as_bytes(one: int, other: int) -> None:
    """The order of the octets is the order of the numbers, and each comes back."""
    assert (encode_serial(one) < encode_serial(other)) == (one < other)
    assert decode_serial(encode_serial(one)) == one


def test_a_certificate_is_found_by_all_its_names() -> None:
    """Its name, subject, common name and names, in lower case, each once."""
    record = certificate(name="Laptop-7", subject=r"CN=Ann\, Lee+UID=al,OU=ops", names=("DNS:A.example", "IP:::1"))
    assert search_values(record)[0] == {"laptop-7", r"cn=ann\, lee+uid=al,ou=ops", "ann, lee", "a.example", "::1"}


def test_only_domains_and_addresses_are_read_from_their_end() -> None:
    """An IP address or a URI has no domain at its end."""
    names = ("DNS:*.a.example", "email:ann@b.example", "IP:10.0.0.1", "URI:https://c.example/x.y")
    record = certificate(name="db", subject="CN=d.example", names=names)
    assert search_values(record)[1] == {"example.a.*", "example.b@ann", "example.d"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [("www.example.com", "com.example.www"), ("ann.lee@example.com", "com.example@ann.lee"), ("a", "a")],
)
def test_backward(value: str, expected: str) -> None:
    """Labels turn round, a local part does not."""
    assert backward(value) == expected
