"""A credential fits together, or it is not made."""

from __future__ import annotations

import pytest

from bundle_fixtures import client_credential, server_credential, single_tier_credential, without_key
from counterseal.bundles.credential import Credential
from counterseal.errors import InputError, NotFoundError
from pki_fixtures import pki


def test_authorities_lead_from_the_issuing_ca_to_the_trust_anchor() -> None:
    """Also where the trust anchor is the issuing CA."""
    known = pki()
    assert server_credential().authorities == (known.server_ca.certificate, known.root.certificate)
    assert single_tier_credential().authorities == (known.lone_root.certificate,)


def test_the_key_is_not_in_the_repr() -> None:
    """A credential may be logged by mistake without harm."""
    assert "private_key" not in repr(client_credential())


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "a\x00b", "\x7f", "a\ud800", "a\uffff"])
def test_a_name_that_files_cannot_carry_is_refused(name: str) -> None:
    """Control characters, lone surrogates and nothing at all."""
    known = client_credential()
    with pytest.raises(InputError) as caught:
        Credential(name, known.certificate, known.chain, known.trust_anchor, known.private_key)
    assert caught.value.code == "bundle.name"
    assert caught.value.message.isprintable()


def test_a_key_of_another_certificate_is_refused() -> None:
    """It would make a bundle that imports and then never works."""
    known = client_credential()
    with pytest.raises(InputError) as caught:
        Credential(known.name, known.certificate, known.chain, known.trust_anchor, pki().server.private_key)
    assert caught.value.code == "bundle.key_mismatch"


@pytest.mark.parametrize("wrong", ["missing", "order", "anchor"])
def test_a_chain_that_does_not_lead_to_the_trust_anchor_is_refused(wrong: str) -> None:
    """A missing CA, the wrong order, a foreign root."""
    known, root, foreign = client_credential(), pki().root.certificate, pki().lone_root.certificate
    chain, anchor = {
        "missing": ((), root),
        "order": ((root, *known.chain), root),
        "anchor": (known.chain, foreign),
    }[wrong]
    with pytest.raises(InputError, match="does not lead") as caught:
        Credential(known.name, known.certificate, chain, anchor, known.private_key)
    assert caught.value.code == "bundle.chain"


def test_a_missing_key_is_said_with_a_way_out() -> None:
    """The purpose is in the message, what to do in the hint."""
    with pytest.raises(NotFoundError, match=r"a test: client\.device") as caught:
        without_key(client_credential()).require_key("a test")
    assert caught.value.code == "bundle.key_missing"
    assert "rekey" in (caught.value.hint or "")
