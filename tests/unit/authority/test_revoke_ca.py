"""A CA that is revoked: by which door, what it may do then, and whom sites admit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from authority_fixtures import NOW, make_client, small_ca
from counterseal.authority.create import add_ca, refuse_same_name
from counterseal.authority.issue import issue
from counterseal.authority.probes import issue_good
from counterseal.authority.publish import ending_lists, publish
from counterseal.authority.renew import ask_again
from counterseal.authority.retire import retire
from counterseal.authority.revoke import revoke, revoke_record, unrevoke_record
from counterseal.authority.revoke_ca import find_doomed, revoke_ca
from counterseal.authority.site_material import client_cas, locked_out_with, revoked_client_cas
from counterseal.errors import CountersealError, InputError, RefusedError
from counterseal.moments import epoch
from counterseal.nginx.listen import Listen
from counterseal.nginx.site import Site
from counterseal.pki.crl import RevocationReason
from counterseal.pki.profile import Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from counterseal.authority.parts import Authority

STOLEN = RevocationReason.KEY_COMPROMISE


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    """Give a small CA with two client CAs, and two certificates of one of them."""
    with small_ca(tmp_path) as authority:
        add_ca(authority, "partners", Purpose.CLIENT, encrypt=False)
        make_client(authority, "ann")
        make_client(authority, "bob")
        yield authority


def refusal(act: Callable[[], object]) -> CountersealError:
    """Return the error that an act ends with."""
    with pytest.raises(CountersealError) as raised:
        act()
    return raised.value


def test_the_door_for_certificates_is_none_for_a_ca(authority: Authority) -> None:
    """Neither by its name nor at hand, nor to lift a hold; it says how much hangs on it, and nothing is recorded."""
    (own,) = authority.store.by_name("clients")
    for act in (
        lambda: revoke(authority, "clients", STOLEN),
        lambda: revoke_record(authority, own, STOLEN),
        lambda: unrevoke_record(authority, own),
    ):
        error = refusal(act)
        assert isinstance(error, RefusedError)
        assert error.code == "revoke.ca"
        assert error.message == f"clients is a CA, with 2 valid certificates: {own.subject}"
        assert (error.hint or "").endswith("counterseal ca revoke clients")
    assert authority.store.by_name("clients") == (own,)


def test_a_revoked_ca_is_on_the_list_above_it_and_issues_nothing(authority: Authority) -> None:
    """Nor renews; it signs probes, because somebody has to knock with what a thief could make."""
    ann = authority.store.by_name("ann")[0]
    assert find_doomed(authority, "clients").valid == 2
    record = revoke_ca(authority, "clients", STOLEN)
    assert (record.state, record.revoked_at, record.revocation_reason) == ("revoked", epoch(NOW), "key_compromise")
    (crl,) = publish(authority, only={"root"}).signed
    listed = x509.load_der_x509_crl(crl.crl).get_revoked_certificate_by_serial_number(
        authority.issuer("clients").certificate.serial_number
    )
    assert listed is not None
    for act in (
        lambda: make_client(authority),
        lambda: issue(authority, ask_again(authority, ann), name="ann", issuer="clients"),
    ):
        error = refusal(act)
        assert error.code == "ca.revoked"
        assert "counterseal ca retire clients --successor clients-2" in (error.hint or "")
    assert issue_good(authority, "clients").name == "outsider"
    assert refusal(lambda: revoke_ca(authority, "clients", STOLEN)).code == "ca.revoked_already"


def test_a_revoked_ca_is_succeeded(authority: Authority) -> None:
    """By one that is not revoked itself; nobody else takes its place by himself, for other doors would open."""
    revoke_ca(authority, "clients", STOLEN)
    site = Site("panel", ("panel.test",), (Listen("*", 443),), client_cas=("clients", "partners"), root="/srv")
    assert [record.name for record in client_cas(authority, site)] == ["partners"]
    assert [record.name for record in revoked_client_cas(authority, site)] == ["clients"]
    add_ca(authority, "clients-2", Purpose.CLIENT, encrypt=False)
    retire(authority, "clients", "clients-2")
    assert authority.store.ca("clients").state == "revoked"
    assert make_client(authority, "eve").record.issuer == "clients-2"
    assert [record.name for record in client_cas(authority, site)] == ["clients-2", "partners"]
    revoke_ca(authority, "clients-2", STOLEN)
    error = refusal(lambda: make_client(authority))
    assert "counterseal ca add clients-3 " in (error.hint or "")
    assert isinstance(refusal(lambda: retire(authority, "partners", "clients-2")), InputError)


def test_a_ca_of_the_same_subject_is_locked_out_with_it(authority: Authority) -> None:
    """Nginx knows issuers by their subject alone; none such is made any more, and none succeeds it."""
    long = "a" * 63
    add_ca(authority, f"{long}b", Purpose.CLIENT, encrypt=False)
    error = refusal(lambda: add_ca(authority, f"{long}bc", Purpose.CLIENT, encrypt=False))
    assert (error.code, authority.keystore.has(f"{long}bc")) == ("ca.same_name", False)
    twin = authority.store.ca("clients")._replace(name="twin", key_id="twin")  # as older homes may have one
    authority.store.add_ca(twin)
    site = Site("panel", ("panel.test",), (Listen("*", 443),), client_cas=("twin", "partners"), root="/srv")
    assert [record.name for record in client_cas(authority, site)] == ["twin", "partners"]
    assert locked_out_with(authority, authority.store.ca("clients")) == (twin,)
    revoke_ca(authority, "clients", STOLEN)
    assert locked_out_with(authority, authority.store.ca("clients")) == ()
    assert [record.name for record in client_cas(authority, site)] == ["partners"]
    assert [record.name for record in revoked_client_cas(authority, site)] == ["twin"]
    assert refusal(lambda: retire(authority, "partners", "twin")).code == "ca.successor"


def test_a_ca_below_a_revoked_one_issues_nothing_more(authority: Authority) -> None:
    """It is locked out with it, which is known before."""
    below = authority.store.ca("partners")._replace(name="below", key_id="below", parent="clients")
    authority.store.add_ca(below)
    assert authority.issuing(below) == "below"
    assert locked_out_with(authority, authority.store.ca("clients")) == (below,)
    revoke_ca(authority, "clients", STOLEN)
    error = refusal(lambda: authority.issuing(below))
    assert (error.code, error.message.startswith("CA clients above below is revoked since ")) == ("ca.revoked", True)
    assert "counterseal ca retire below --successor below-2" in (error.hint or "")
    assert authority.issuing(authority.store.ca("partners")) == "partners"


@pytest.mark.parametrize("single_tier", [False, True])
def test_a_root_is_not_revoked(tmp_path: Path, *, single_tier: bool) -> None:
    """By neither door; one that issues by itself is one as well."""
    with small_ca(tmp_path, single_tier=single_tier) as authority:
        assert refusal(lambda: revoke_ca(authority, "root", STOLEN)).code == "ca.root"
        assert refusal(lambda: revoke(authority, "root", STOLEN)).code == "ca.root"


def test_nobody_is_asked_for_the_next_list_of_a_revoked_ca(authority: Authority, tmp_path: Path) -> None:
    """Its key may be destroyed, and whoever it issued a certificate is refused in any case."""
    publish(authority)
    (tmp_path / "keys" / "partners.key.pem").unlink()
    later = replace(authority, clock=lambda: NOW + timedelta(days=6))
    assert [crl.issuer for crl in ending_lists(later)] == ["partners"]
    revoke_ca(authority, "partners", STOLEN)
    assert ending_lists(later) == ()


def test_whatever_is_below_a_ca_that_is_revoked_is_locked_out(authority: Authority) -> None:
    """Its own row says nothing of it: who has the key above makes another of its name."""
    site = Site("a", ("a.test",), (Listen("*", 443),), client_cas=("clients", "partners"), root="/srv")
    assert [ca.name for ca in client_cas(authority, site)] == ["clients", "partners"]
    authority.store.mark_ca_revoked("root", at=epoch(NOW), reason="key_compromise")
    assert client_cas(authority, site) == ()
    assert [ca.name for ca in revoked_client_cas(authority, site)] == ["clients", "partners"]


def test_a_ca_that_is_revoked_is_not_taken_over_once_more(authority: Authority) -> None:
    """With the certificate that it has here neither: it would stand again beside its own revocation."""
    ca = authority.store.ca("clients")
    (here, *_) = authority.path(ca)
    refuse_same_name(authority, here.subject, certificate=ca.certificate, hint="as long as it stands")
    revoke_ca(authority, "clients", STOLEN)
    refused = refusal(
        lambda: refuse_same_name(authority, here.subject, certificate=ca.certificate, hint="another name")
    )
    assert (refused.code, refused.hint) == ("ca.same_name", "another name")
