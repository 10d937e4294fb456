"""A CA that another one succeeds: who issues then, whom sites admit, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from authority_fixtures import NOW, make_client, small_ca
from counterseal.authority.create import ISSUING_LIFETIME, add_ca
from counterseal.authority.issue import issue
from counterseal.authority.probes import make_probes
from counterseal.authority.publish import publish
from counterseal.authority.renew import ask_again
from counterseal.authority.retire import retire
from counterseal.authority.site_certificate import ensure_server_certificate
from counterseal.authority.site_material import client_cas, material_of
from counterseal.errors import InputError, NotFoundError, RefusedError
from counterseal.nginx.listen import Listen
from counterseal.nginx.site import Site
from counterseal.pki.profile import Purpose

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.authority.parts import Authority


def add_and_retire(authority: Authority, *names: str) -> None:
    """Make client CAs, each in the place of the one named before it."""
    for old, new in pairwise(names):
        add_ca(authority, new, Purpose.CLIENT, encrypt=False)
        retire(authority, old, new)


def test_the_last_of_a_line_issues_and_renews(tmp_path: Path) -> None:
    """Also where the retired one is named, and never a CA of another line that happens to be older."""
    with small_ca(tmp_path) as authority:
        add_ca(authority, "devices", Purpose.CLIENT, encrypt=False)
        before = make_client(authority)
        add_and_retire(authority, "clients", "clients-2", "clients-3")
        add_and_retire(authority, "devices", "devices-2")
        assert make_client(authority, "bob").record.issuer == "clients-3"
        renewed = issue(authority, ask_again(authority, before.record), name="ann", issuer=before.record.issuer)
        assert (before.record.issuer, renewed.record.issuer) == ("clients", "clients-3")
        pump = issue(authority, ask_again(authority, before.record), name="pump", issuer="devices")
        assert pump.record.issuer == "devices-2"


def test_a_site_admits_the_whole_line_until_its_members_end(tmp_path: Path) -> None:
    """A CA whose certificate has ended has nobody left to be let in, and could be probed by nobody."""
    site = Site("panel", ("panel.test",), (Listen("*", 443),), client_cas=("clients",), root="/srv")
    with small_ca(tmp_path) as authority:
        later = replace(authority, clock=lambda: NOW + ISSUING_LIFETIME)
        add_ca(replace(authority, clock=lambda: NOW + timedelta(days=9)), "clients-2", Purpose.CLIENT, encrypt=False)
        assert [record.name for record in client_cas(later, site)] == ["clients"]
        retire(authority, "clients", "clients-2")
        assert [record.name for record in client_cas(authority, site)] == ["clients", "clients-2"]
        assert [record.name for record in client_cas(later, site)] == ["clients-2"]


def test_an_allow_list_that_names_a_ca_means_its_successor_too(tmp_path: Path) -> None:
    """Unless the site names that one itself."""
    with small_ca(tmp_path) as authority:
        add_ca(authority, "partners", Purpose.CLIENT, encrypt=False)
        add_and_retire(authority, "clients", "clients-2")
        publish(authority)
        server = ensure_server_certificate(authority, "panel", ("panel.test",), tmp_path / "kept")
        for named, expected in (
            (("clients", "partners"), ("clients", "clients", "partners")),
            (("clients", "clients-2"), ("clients", "clients-2")),
        ):
            site = Site("panel", ("panel.test",), (Listen("*", 443),), client_cas=named, root="/srv")
            assert material_of(authority, site, server).issuer_cas == expected


def test_a_ca_is_probed_to_its_last_hour(tmp_path: Path) -> None:
    """Its probes end with it, so that its sites are deployed and proved in its last week, too."""
    with small_ca(tmp_path) as authority:
        last = replace(authority, clock=lambda: NOW + ISSUING_LIFETIME - timedelta(hours=1))
        assert make_probes(last, "clients", tmp_path / "canaries", with_unlisted=True).good.name == "good"


@pytest.mark.parametrize(
    ("name", "successor", "error", "told"),
    [
        ("root", "clients", RefusedError, "the root is not retired"),
        ("clients", "servers", InputError, "not another CA for client certificates: servers"),
        ("clients", "clients", InputError, "not another CA for client certificates: clients"),
        ("clients", "client", NotFoundError, "no CA of that name: client"),
        ("devices", "staff", RefusedError, "CA devices is retired already: staff issues in its place"),
        ("clients", "devices", InputError, "CA devices is retired itself"),
    ],
)
def test_who_cannot_succeed(tmp_path: Path, name: str, successor: str, error: type[Exception], told: str) -> None:
    """Nobody in a circle, nobody for another purpose."""
    with small_ca(tmp_path) as authority:
        add_ca(authority, "devices", Purpose.CLIENT, encrypt=False)
        add_and_retire(authority, "devices", "staff")
        with pytest.raises(error, match=told):
            retire(authority, name, successor)
