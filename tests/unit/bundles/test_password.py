"""Passwords: strong and typable when made, judged when chosen."""

from __future__ import annotations

import math
import re
import secrets
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterseal.bundles.password import ALPHABET, LENGTH, check_password, generate_password
from counterseal.errors import InputError, RefusedError


@given(st.binary(min_size=32, max_size=32))
def test_a_generated_password_is_typable_(drawn: bytes) -> None:
    """Five groups of four out of the alphabet without look-alikes, whatever was drawn."""
    password = generate_password(lambda count: drawn[:count])
    assert re.fullmatch(rf"([{ALPHABET}]{{4}}-){{4}}[{ALPHABET}]{{4}}", password)


def test_it_is_worth_at_least_80_bits() -> None:
    """The claim in the documentation, by arithmetic."""
    assert math.floor(LENGTH * math.log2(len(ALPHABET))) == 99
    assert len(set(ALPHABET)) == len(ALPHABET)
    assert not set(ALPHABET) & set("0o1li")


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_different_draws_give_different_passwords(one: bytes, other: bytes) -> None:
    """Unless the numbers agree modulo 31**20: nothing of the draw is thrown away but its excess."""
    modulus = len(ALPHABET) ** LENGTH
    same = int.from_bytes(one, "big") % modulus == int.from_bytes(other, "big") % modulus
    assert (generate_password(lambda _: one) == generate_password(lambda _: other)) is same


def test_characters_are_spread_evenly() -> None:
    """2,000 passwords: each of 31 characters within six standard deviations of its share."""
    counted = Counter("".join(generate_password(secrets.token_bytes).replace("-", "") for _ in range(2_000)))
    share = 2_000 * LENGTH / len(ALPHABET)
    assert all(abs(counted[character] - share) < 6 * math.sqrt(share) for character in ALPHABET)


@pytest.mark.parametrize("password", ["correct horse battery", "x" * 8 + "abcd", "".join(map(chr, range(0x21, 0x7F)))])
def test_a_good_chosen_password_comes_back(password: str) -> None:
    """Spaces inside and every sign of ASCII are allowed."""
    assert check_password(password) == password


@pytest.mark.parametrize("password", ["", "short-one", "x" * 129, "aaaaaaaaaaaaaaaa", "abababababab"])
def test_a_weak_password_is_refused(password: str) -> None:
    """Too short, too long, or one thing over and over."""
    with pytest.raises(RefusedError) as caught:
        check_password(password)
    assert caught.value.code == "bundle.password_weak"


@pytest.mark.parametrize("password", ["pässwörter sind", " leading space", "trailing space ", "with\ttabulator"])
def test_what_devices_read_differently_is_refused(password: str) -> None:
    """Accents, spaces at the ends, control characters."""
    with pytest.raises(InputError) as caught:
        check_password(password)
    assert caught.value.code == "bundle.password_characters"


@given(st.text(min_size=6))
def test_a_refusal_never_quotes_the_password(password: str) -> None:
    """Neither the message nor the hint."""
    secret = f"{password}\N{SNOWMAN}"  # one sign too many for ASCII: always refused
    with pytest.raises(InputError) as caught:
        check_password(secret)
    assert secret not in f"{caught.value.message} {caught.value.hint}"
