"""A site refuses what nginx would misread and what contradicts itself, all faults at once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterseal.errors import ConfigError, InputError
from counterseal.nginx.site import Allow, ClientCertificates, Listen, Location, Revocation, Site

REQUIRED, OPTIONAL, NONE = ClientCertificates.REQUIRED, ClientCertificates.OPTIONAL, ClientCertificates.NONE


def make_site(**changes: Any) -> Site:  # noqa: ANN401 - any field of a site
    """Return a sound site with some fields changed."""
    fields: dict[str, Any] = {
        "name": "panel",
        "server_names": ("panel.test",),
        "listen": (Listen("*", 443),),
        "client_cas": ("staff",),
        "upstream": "127.0.0.1:8000",
    }
    return Site(**{**fields, **changes})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("8443", "*:8443"),
        ("127.0.0.1:8443", "127.0.0.1:8443"),
        ("[::1]:8443", "[::1]:8443"),
        ("[0:0:0:0:0:0:0:1]:8443", "[::1]:8443"),
        ("*:443", "*:443"),
        ("0.0.0.0:443", "*:443"),
    ],
)
def test_a_socket_is_read(text: str, shown: str) -> None:
    """Ports, addresses and the wildcard, in one canonical form."""
    assert str(Listen.parse(text)) == shown


@pytest.mark.parametrize(
    "text", ["", "localhost:443", "::1:443", "0", "70000", "443;", "[fe80::1%eth0]:443", "1.2.3.4", "٤٤٣", "a\n:1"]
)
def test_an_odd_socket_is_refused(text: str) -> None:
    """What is no port, no IP address or an IPv6 address without brackets."""
    with pytest.raises(InputError) as caught:
        Listen.parse(text)
    assert caught.value.code == "site.listen"


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"name": "Panel;"}, "not a site name"),
        ({"server_names": ()}, "no server name"),
        ({"server_names": ("a.test;",)}, "not a DNS name"),
        ({"server_names": ("bücher.test",)}, "not the form that clients send"),
        ({"server_names": ("127.0.0.1",)}, "an IP address is no server name"),
        ({"server_names": ("a.test", "A.test")}, "given twice"),
        ({"server_names": ("~^(.*)$",)}, "not a DNS name"),
        ({"listen": ()}, "no socket"),
        ({"redirect_from": (Listen("*", 443),)}, "socket given twice"),
        ({"upstream": None}, "nothing to serve"),
        ({"upstream": "http://x"}, "not an upstream"),
        ({"upstream": "x:99999"}, "not an upstream"),
        ({"upstream": "unix:/a b"}, "not an upstream"),
        ({"upstream": "x:80;}"}, "not an upstream"),
        ({"root": "/srv"}, "both upstream and root"),
        ({"upstream": None, "root": "srv"}, "not a usable directory"),
        ({"upstream": None, "root": "/srv/$x"}, "not a usable directory"),
        ({"upstream": None, "root": "/srv/../etc"}, "not a usable directory"),
        ({"client_cas": ()}, "no client CA"),
        ({"client_cas": ("staff", "../staff")}, "not a CA name"),
        ({"client_certificates": NONE, "identity_headers": "standard"}, "identity headers without"),
        ({"client_certificates": OPTIONAL, "allow": Allow(groups=("ops",))}, "allow with client_certificates"),
        ({"allow": Allow(subjects=("partners:CN=x",))}, "no client CA of this site: partners"),
        ({"client_certificates": NONE, "locations": (Location("/a", REQUIRED),)}, "a location requires a certificate"),
        ({"locations": (Location("/a", NONE),)}, "a location wants none, the site required"),
        (
            {"client_certificates": OPTIONAL, "locations": (Location("/a", allow=Allow(groups=("x",))),)},
            "allow in a location that requires no certificate",
        ),
        ({"locations": (Location("/a"), Location("/a/"))}, "path given twice"),
    ],
)
def test_a_fault_is_found(changes: dict[str, Any], part: str) -> None:
    """Each fault alone is found and said with its value."""
    with pytest.raises(ConfigError) as caught:
        make_site(**changes)
    assert caught.value.code == "site.invalid"
    assert any(part in finding.message for finding in caught.value.findings), caught.value.findings


def test_all_faults_are_reported_together() -> None:
    """Nobody mends one fault to be told of the next."""
    with pytest.raises(ConfigError) as caught:
        make_site(name="X", server_names=(), listen=(), client_cas=())
    assert [finding.where for finding in caught.value.findings] == ["", "server_names", "listen", "client_cas"]


@pytest.mark.parametrize(
    "path", ["", "admin", "/", "//a", "/a//b", "/a/../b", "/./a", "/a;b", "/a b", "/a%2f", "/$a", "/a{"]
)
def test_a_location_path_that_could_be_read_two_ways_is_refused(path: str) -> None:
    """Only plain, decoded paths."""
    with pytest.raises(ConfigError):
        Location(path)


@pytest.mark.parametrize(
    "allow",
    [
        {"subjects": ("alice",)},
        {"subjects": ("CN=a\nb",)},
        {"subjects": ("CN=" + "a" * 1000,)},
        {"groups": ("",)},
        {"groups": ("a\nb",)},
        {"serial_numbers": (0,)},
        {"serial_numbers": (1 << 160,)},
    ],
)
def test_an_allow_entry_that_matches_nothing_is_refused(allow: dict[str, Any]) -> None:
    """No subject, no group, no serial number."""
    with pytest.raises(ConfigError):
        Allow(**allow)


def test_auto_revocation_follows_the_size() -> None:
    """Both while small, the map alone beyond 10,000 entries; an explicit mode stays."""
    assert Revocation.AUTO.settle(10_000) is Revocation.BOTH
    assert Revocation.AUTO.settle(10_001) is Revocation.MAP
    assert Revocation.CRL.settle(10_001) is Revocation.CRL


def test_demanding_locations_are_those_that_ask_for_more() -> None:
    """A location under a required site only counts when it narrows."""
    narrow, same = Location("/a", allow=Allow(groups=("ops",))), Location("/b", REQUIRED)
    assert make_site(locations=(narrow, same)).demanding == (narrow,)
    assert make_site(client_certificates=OPTIONAL, locations=(same,)).demanding == (same,)


@given(st.text(min_size=1), st.sampled_from(["server_names", "upstream", "root", "name", "client_cas"]))
def test_no_accepted_text_can_end_a_word(text: str, field: str) -> None:
    """Whatever a site accepts holds nothing that nginx reads as syntax."""
    value = (text,) if field in {"server_names", "client_cas"} else text
    extra = {"upstream": None} if field == "root" else {}
    try:
        make_site(**{**extra, field: value})
    except ConfigError:
        return
    assert not set(text) & set(";{}$\"'\\\n\r\t\x00")
