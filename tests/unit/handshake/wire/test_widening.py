"""A ClientHello made longer: read by our own reader, and refused where it is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captured import CASES, captured_case
from counterseal.errors import InputError
from counterseal.handshake.wire.decode import HANDSHAKE
from counterseal.handshake.wire.hello import client_hello
from counterseal.handshake.wire.reader import Reader, vector
from counterseal.handshake.wire.widening import REGISTERED, Offer, offered_in, widen

HELLOS = sorted(
    {one.octets for case in CASES for one in captured_case(case) if one.content == HANDSHAKE and one.octets[0] == 1}
)


@pytest.mark.parametrize("octets", HELLOS, ids=range(len(HELLOS)))
def test_the_lists_are_longer_and_the_rest_is_as_it_was(octets: bytes) -> None:
    """What was offered comes first; without anything more it is the same octet for octet."""
    assert widen(octets, {}) == octets
    before, after = (client_hello(Reader(one[4:])) for one in (octets, widen(octets, REGISTERED)))
    for offer in Offer:
        offered = offered_in(before, offer)
        assert offered_in(after, offer) == (offered + REGISTERED[offer] if offered else ())
    lists = {"cipher_suites": (), "groups": (), "signature_schemes": ()}
    assert replace(after, **lists) == replace(before, **lists)  # type: ignore[arg-type] # the three fields by name


def test_suites_are_told_apart_by_version_and_signals_are_none() -> None:
    """The renegotiation signal is no suite; those of TLS 1.3 serve no other version."""
    hello = client_hello(Reader(HELLOS[0][4:]))
    mixed = replace(hello, cipher_suites=(0x1301, 0xC02B, 0x00FF))
    assert offered_in(mixed, Offer.CIPHER_SUITES, version=0x0304) == (0x1301,)
    assert offered_in(mixed, Offer.CIPHER_SUITES, version=0x0303) == (0xC02B,)
    assert not {0x00FF, 0x5600, 0x0034, 0x008C, 0xC01D} & {*REGISTERED[Offer.CIPHER_SUITES]}


@given(octets=st.binary(max_size=120))
def test_any_octets_are_refused(octets: bytes) -> None:
    """Whatever is no ClientHello."""
    with pytest.raises(InputError):
        widen(bytes([HANDSHAKE]) + vector(octets, 3), REGISTERED)
