"""What is filled into the template of a shape is octet for octet what policy, lint and the library make of a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st

from counterseal.authority.batch.order import BatchOrder
from counterseal.authority.batch.produce import draft, judged
from counterseal.authority.batch.rows import ClientRow
from counterseal.authority.batch.shape import Model, Shape, has_shapes, is_unguessable, plain
from counterseal.keystore.software import SoftwareSigner, generate_key
from counterseal.pki import der
from counterseal.pki.certificate import CARequest, Draft, Issuer, assemble_ca, end_entity_template
from counterseal.pki.constraints import constrain
from counterseal.pki.keys import P256, parse_key_spec, signature_algorithm
from counterseal.pki.pem import encode_private_key
from counterseal.pki.policy import BACKDATE
from counterseal.pki.profile import CLIENT, SERVER, Purpose
from counterseal.pki.subject import parse_subject

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
KEY = generate_key(P256)
POINT = KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
POINTER = der.extension("1.2.3", der.NULL, critical=False)
ORDER = BatchOrder(CLIENT, "clients", P256)
SAMPLES = {"DNS": "DNS:a.example", "email": "email:a@b.example", "URI": "URI:https://a.example/x"}

_words = st.text('abcXYZ019-. @:/_,=+\\"#*é\x07', max_size=70)
_labels = st.from_regex(r"[a-zA-Z0-9*][a-z0-9-]{0,5}(\.[a-z0-9]{1,3}){0,3}\.?", fullmatch=True)
_names = st.one_of(
    _labels.map("DNS:{}".format),
    st.tuples(st.from_regex(r"[a-zA-Z0-9.+]{1,5}", fullmatch=True), _labels).map("email:{0[0]}@{0[1]}".format),
    _labels.map("URI:https://{}/path?q".format),
    st.just("URI:spiffe://example.org/db"),
    _words.map("email:{}".format),
)
_rows = st.builds(
    ClientRow,
    st.just("rows.csv:2"),
    st.one_of(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 ._:@/-]{0,20}", fullmatch=True), _words),
    st.lists(_names, max_size=3).map(tuple),
    st.sampled_from([None, "ops", "a, b", "prüf"]),
    st.sampled_from([None, timedelta(days=30), timedelta(days=3000)]),
    st.sampled_from([None, None, None, "CN=x,O=example"]),
)


@cache
def _issuer(*permitted: str, pointers: bool = False) -> Issuer:
    signer = SoftwareSigner(generate_key(P256))
    subject, end = parse_subject("/O=example/CN=Clients"), NOW + timedelta(days=9000)
    request = CARequest(subject, signer.public_key, NOW, end, 2**100, 0, Purpose.CLIENT, constrain(permitted))
    root = x509.load_der_x509_certificate(assemble_ca(request, None, signer.signature_algorithm).sign(signer))
    return Issuer.of("clients", [root], Purpose.CLIENT, (POINTER,) * pointers)


@given(_rows, st.integers(2**64, 2**159 - 1))
def test_a_plain_row_is_what_the_long_way_makes_of_it(row: ClientRow, serial_number: int) -> None:
    """Bytes to sign and record alike; and no row is plain that policy or lint would refuse."""
    alike = plain(ORDER, row)
    if alike is None:
        return
    first = row._replace(name="first", names=tuple(SAMPLES[kind] for kind in alike.shape[2]))
    if len(set(first.names)) != len(first.names):
        first = row  # the same kind twice
    sample = plain(ORDER, first)
    assert sample is not None
    assert sample.shape == alike.shape
    request, draft_of_sample, recorded = judged(ORDER, _issuer(), "me", NOW, first, 2**127, KEY.public_key())
    template = end_entity_template(request, _issuer(), draft_of_sample.signature_algorithm)
    model = Model.of(sample, template, recorded)
    _, made, record = judged(ORDER, _issuer(), "me", NOW, row, serial_number, KEY.public_key())
    assert model.fill(alike, serial_number, POINT) == (made.tbs, record)


def _preview(tbs: bytes) -> x509.Certificate:
    return Draft(tbs, signature_algorithm(_issuer().certificate.public_key())).preview()


def test_the_usual_rows_are_plain_and_the_others_are_not() -> None:
    """Or the test above would look at nothing."""
    usual = ClientRow("rows.csv:2", "device-7", ("email:d@Example.com", "DNS:a.example"), "ops")
    found = plain(ORDER, usual)
    assert found is not None
    assert found.names == (("email", "d@example.com"), ("DNS", "a.example"))
    unusual = [usual._replace(name=name) for name in ("a,b", "prüfstand", "x" * 65, " a", "")]
    unusual += [usual._replace(names=(name,)) for name in ("DNS:*.a.example", "email:nobody", "DNS:a..b")]
    assert not any(plain(ORDER, row) for row in (*unusual, usual._replace(subject="CN=x")))


@pytest.mark.parametrize(
    ("order", "issuer", "expected"),
    [
        (ORDER, _issuer(), True),
        (replace(ORDER, key=parse_key_spec("p-384")), _issuer(), False),
        (replace(ORDER, profile=SERVER), _issuer(), False),
        (replace(ORDER, profile=replace(CLIENT, permitted_domains=("a.example",))), _issuer(), False),
        (ORDER, _issuer("a.example"), False),
    ],
)
def test_where_names_are_compared_with_something_no_row_is_plain(
    order: BatchOrder, issuer: Issuer, *, expected: bool
) -> None:
    """Constraints of a CA, domains of a profile, rules about servers, other keys."""
    assert has_shapes(order, issuer) == expected


def test_a_number_that_lint_would_remark_on_goes_the_long_way() -> None:
    """RFC 5280 4.1.2.2: too short to be unguessable, or too long."""
    numbers = (2**63, 2**63 - 1, 2**64 - 1, 2**158, 2**159 - 1, 2**159)
    assert [is_unguessable(number) for number in numbers] == [True, False, True, True, True, False]


def test_a_chunk_of_several_shapes_is_drafted_in_its_order() -> None:
    """Each draft carries its row's number, name and key, whichever way it went; the key file is the library's."""
    names = ["one", "two", "prüfstand", "three", "four"]
    rows = [ClientRow(f"r:{n}", name, ("email:a@b.example",) * (n % 2)) for n, name in enumerate(names)]
    issuer = _issuer(pointers=True)
    drafted = draft(ORDER, issuer, "me", {}, (NOW, [(2**100 + n, row) for n, row in enumerate(rows)]))
    assert [record.name for record in drafted.records] == names
    for number, (tbs, record, pem) in enumerate(zip(drafted.drafts, drafted.records, drafted.keys, strict=True)):
        preview, key = _preview(tbs), load_pem_private_key(pem, None)
        assert preview.serial_number == record.serial_number == 2**100 + number
        assert preview.public_key() == key.public_key()
        assert pem == encode_private_key(key)


def test_one_of_a_shape_is_judged_for_each_second() -> None:
    """Two chunks of one second share a model and their times; the next second has a model and times of its own."""
    models: dict[tuple[datetime, Shape], Model] = {}
    rows = [(2**100 + n, ClientRow(f"r:{n}", f"device-{n}")) for n in range(2)]
    later = NOW + timedelta(days=1)  # the issuer is as old as that
    for now in (later, later, later + timedelta(seconds=1)):
        drafts = draft(ORDER, _issuer(), "me", models, (now, rows)).drafts
        starts = {_preview(tbs).not_valid_before_utc for tbs in drafts}
        assert starts == {now - BACKDATE}
    assert len(models) == 2
