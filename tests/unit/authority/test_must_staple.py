"""A server that must staple goes on doing so when it is renewed, as long as its certificate says where to ask."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from authority_fixtures import make_client, make_server, small_ca
from counterseal.authority.issue import issue, rehearse
from counterseal.authority.order import order_server
from counterseal.authority.parts import Rules
from counterseal.authority.renew import ask_again
from counterseal.authority.token import Grant, ask_by_token, make_token
from counterseal.pki.csr import parse_csr
from pki_fixtures import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.authority.parts import Authority

KEY = key_of("p-256")


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Authority]:
    """Give a small CA whose certificates name no responder."""
    with small_ca(tmp_path) as authority:
        yield authority


@pytest.fixture
def authority(silent: Authority) -> Authority:
    """Give the same with a responder that they name."""
    return replace(silent, rules=Rules(published_at="http://pki.test"))


def test_it_is_renewed_as_long_as_somebody_can_be_asked(authority: Authority, silent: Authority) -> None:
    """Without a responder one that demands a response would shut its server; one that did not goes on not to."""
    asked = order_server(authority.profile("server"), "a.test", KEY.public_key())._replace(must_staple=True)
    demanding = issue(authority, asked, name="a.test").record
    assert ask_again(authority, demanding).must_staple
    less = ask_again(silent, demanding)
    assert not less.must_staple
    for made in (rehearse(silent, less, name="a.test"), issue(silent, less, name="a.test")):
        assert made.remarks[0].message.startswith("must-staple is left out: must-staple cannot be met: ")
    assert not issue(authority, ask_again(authority, demanding), name="a.test").remarks
    for usual in (make_server(authority, "b.test").record, make_client(authority).record):
        assert not ask_again(authority, usual).must_staple


def test_a_token_gives_it_to_who_asks_for_it(authority: Authority) -> None:
    """It says names and lifetime; this is the wish of the server that gets them."""
    token, _ = make_token(authority, Grant(name="a.test", profile="server"))
    for features in ([], [x509.TLSFeatureType.status_request]):
        builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
        for feature in features:
            builder = builder.add_extension(x509.TLSFeature([feature]), critical=False)
        csr = parse_csr(builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER))
        assert ask_by_token(authority, token, csr).must_staple is bool(features)
