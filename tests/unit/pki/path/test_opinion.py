"""The second opinion: the library is asked the same, and another verdict is a disagreement."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography import x509

from chains import Case, ca, cases, end_entity, root
from counterseal.pki.path.explain import explain
from counterseal.pki.path.opinion import Opinion, second_opinion
from pki_fixtures import key_of

BY_NAME = {case.name: case for case in cases()}


def opinion(case: Case) -> Opinion:
    """Return what the library says of a case."""
    told = explain(
        case.chain[0],
        case.chain[1:],
        case.anchors,
        purpose=case.purpose,
        at=case.at,
        names=case.names,
        crls=case.lists,
        depth=case.depth,
    )
    return second_opinion(told, case.chain[1:], case.anchors)


@pytest.mark.parametrize(
    ("name", "accepts", "disagrees"),
    [
        ("good server", True, False),
        ("good client", True, False),
        ("end entity expired", False, False),
        ("root unknown", False, False),
        ("another name", False, False),
        ("no name asked for", True, False),
        ("wildcard", True, False),
        ("depth too small", False, False),
        ("no authority key identifier, client", True, False),
        ("server certificate as a client", False, False),
        ("end entity revoked", True, False),
        ("policy required and missing", False, True),
        ("key for encipherment of data only", True, True),
        ("client key for encipherment only", True, True),
    ],
)
def test_what_the_library_says(name: str, accepts: bool, disagrees: bool) -> None:  # noqa: FBT001 - a table
    """Revocation is no disagreement, for it does not look at it; key usage is one."""
    told = opinion(BY_NAME[name])
    assert (told.accepts, told.disagrees) == (accepts, disagrees)
    assert (told.reason is None) == accepts


def test_a_key_that_the_web_pki_does_not_know_is_a_disagreement() -> None:
    """A CA with Ed25519 passes here and with OpenSSL."""
    issuer = ca("intermediate", root(), key=key_of("ed25519")).make()
    chain = (end_entity(issuer).make().certificate, issuer.certificate)
    told = opinion(replace(BY_NAME["good server"], chain=chain))
    assert (told.accepts, told.disagrees) == (False, True)
    assert "algorithm" in str(told.reason)


def test_a_server_without_names_cannot_be_asked_for() -> None:
    """Which is a refusal, as ours is."""
    case = replace(BY_NAME["no names at all"], names=())
    told = opinion(case)
    assert (told.accepts, told.disagrees) == (False, False)


def test_a_name_that_the_library_cannot_take_is_no_verdict() -> None:
    """A mailbox is none that a server is asked for by."""
    told = opinion(replace(BY_NAME["good server"], names=(x509.RFC822Name("a@example.com"),)))
    assert (told.accepts, told.disagrees) == (None, False)
