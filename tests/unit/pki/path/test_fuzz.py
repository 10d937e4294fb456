"""Whatever stands in certificates and lists, and however they hang together, an explanation comes of it, and soon."""

from __future__ import annotations

import json
import warnings
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from chains import HOST, NOW, Case, ca, cases, end_entity
from counterseal.errors import InputError
from counterseal.pki.openssl.verify import verify
from counterseal.pki.path.build import MAX_SIGNATURES, MAX_STEPS
from counterseal.pki.path.explain import MAX_PATHS, explain
from counterseal.pki.path.opinion import second_opinion
from counterseal.pki.path.report_json import report_to_json
from counterseal.pki.path.revocation_list import RevocationList
from counterseal.pki.profile import Purpose
from counterseal.pki.reading import load_certificate
from counterseal.pki.recognise import recognise
from cpu_time import at_most
from pki_fixtures import Issued, key_of

if TYPE_CHECKING:
    from cryptography import x509

NAMES = 4
SOON = 5.0


@cache
def fuzzed_cases() -> tuple[Case, ...]:
    """Return the cases with all kinds of extensions and lists."""
    return tuple(case for case in cases() if "RSA" not in case.name)


def mutate(content: bytes, changes: list[tuple[int, int, int]]) -> bytes:
    """Return DER with octets replaced, doubled or left out."""
    octets = bytearray(content)
    for place, how, value in changes:
        position = place % len(octets)
        if how == 0:
            octets[position] = value
        elif how == 1:
            octets[position] ^= 1 << (value % 8)
        elif how == 2:
            octets.insert(position, value)
        else:
            del octets[position]
    return bytes(octets)


def load(content: bytes) -> x509.Certificate | None:
    """Load a certificate as every command does; None where that is refused."""
    try:
        return load_certificate(recognise(content)[0], source="fuzz")
    except InputError:
        return None


def load_list(content: bytes) -> RevocationList | None:
    """Load a list, its entries unread; None where that is refused."""
    try:
        return RevocationList(content)
    except InputError:
        return None


def with_entries(found: RevocationList) -> x509.CertificateRevocationList | None:
    """Return the list as every command takes it; None where an entry cannot be read."""
    try:
        return found.crl
    except InputError:
        return None


CHANGES = st.lists(st.tuples(st.integers(0, 4096), st.integers(0, 3), st.integers(0, 255)), min_size=1, max_size=3)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.data())
def test_mutated_certificates_and_lists_are_explained(data: st.DataObject) -> None:
    """The same few damages in every run."""
    explain_damaged(data)


@pytest.mark.slow
@settings(max_examples=2000)
@given(st.data())
def test_any_mutated_certificates_and_lists_are_explained(data: st.DataObject) -> None:
    """Other damages in every run; each is explained soon."""
    with at_most(SOON):
        explain_damaged(data)


def explain_damaged(data: st.DataObject) -> None:
    """Damage one certificate or list of a chain: nothing is raised, and every voice has an answer."""
    case = data.draw(st.sampled_from(fuzzed_cases()))
    ders = [one.public_bytes(Encoding.DER) for one in (*case.chain, *case.anchors)]
    ders += [one.public_bytes(Encoding.DER) for one in case.crls or ()]
    which = data.draw(st.integers(0, len(ders) - 1))
    ders[which] = mutate(ders[which], data.draw(CHANGES))
    count = len(case.chain) + len(case.anchors)
    read = [load(content) for content in ders[:count]]
    certificates = [one for one in read if one is not None]
    if read[0] is None:
        return
    lists = [one for one in map(load_list, ders[count:]) if one is not None]
    anchors = [one for one in read[len(case.chain) :] if one is not None]
    others = [one for one in certificates[1:] if one not in anchors]
    with warnings.catch_warnings(action="ignore"):  # of what the checks say in words
        told = explain(
            read[0],
            others,
            anchors,
            purpose=case.purpose,
            at=case.at,
            names=case.names,
            crls=lists if case.crls is not None else None,
        )
        whole = [crl for crl in map(with_entries, lists) if crl is not None]
        verify(read[0], others, anchors, purpose=case.purpose, at=case.at, crls=whole or None)
        second_opinion(told, others, anchors)
        assert json.dumps([report_to_json(report) for report in told.paths])


@cache
def authority(name: int, key: int, issuer: int | None, issuer_key: int) -> x509.Certificate:
    """Return a CA of one of a few names with one of a few keys, signed by another such pair."""
    above = None
    if issuer is not None:
        shell = ca(f"CA {issuer}", key=key_of("p-256", 60 + issuer_key)).make().certificate
        above = Issued(shell, key_of("p-256", 60 + issuer_key))
    return ca(f"CA {name}", above, key=key_of("p-256", 60 + key)).make().certificate


EDGES = st.tuples(*[st.integers(0, NAMES - 1)] * 4)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(EDGES, min_size=1, max_size=25), EDGES)
def test_any_web_of_cross_certificates_ends(
    edges: list[tuple[int, int, int, int]], anchor: tuple[int, int, int, int]
) -> None:
    """Cycles, many keys of one name, many paths: the work stays inside its bounds, and an incomplete search says so."""
    pool = [authority(*edge) for edge in edges]
    issuer = Issued(pool[0], key_of("p-256", 60 + edges[0][1]))
    end = end_entity(issuer).make().certificate
    root = authority(anchor[0], anchor[1], None, 0)
    told = explain(end, pool, [root], purpose=Purpose.SERVER, at=NOW, names=[HOST])
    assert len(told.paths) <= MAX_PATHS


def test_an_endless_web_is_given_up_and_said() -> None:
    """Thirty CAs of one name and as many keys, each signed by each other, none by the anchor."""
    pool = [authority(0, key, 0, other) for key in range(24) for other in range(24) if key != other]
    issuer = Issued(pool[0], key_of("p-256", 60))
    root = authority(1, 30, None, 0)
    told = explain(end_entity(issuer).make().certificate, pool, [root], purpose=Purpose.SERVER, at=NOW, names=[HOST])
    assert not told.valid
    assert any(check.kind.code == "search" for check in told.best.checks)
    assert len(pool) > MAX_SIGNATURES
    assert MAX_STEPS > MAX_PATHS


@pytest.mark.slow
@settings(max_examples=3000)
@given(st.binary(max_size=2000))
def test_any_octets_are_no_traceback(content: bytes) -> None:
    """What is no certificate is refused by an error of ours, and soon."""
    with at_most(SOON):
        assert load(content) is None
