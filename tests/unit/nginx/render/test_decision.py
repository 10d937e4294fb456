"""The maps that decide, looked up without nginx."""

from __future__ import annotations

import re

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from counterseal.errors import ConfigError
from counterseal.nginx.site import Admit, Allow, ClientCertificates, Location, Revocation, Site
from counterseal.pki.shown import show_serial
from counterseal.pki.subject import nginx_name
from nginx_maps import find_map, look_up
from unit.nginx.render.sites import PARTNERS, STAFF, make_material, make_site, render_text

REQUIRED, OPTIONAL = ClientCertificates.REQUIRED, ClientCertificates.OPTIONAL


def decide(site: Site, facts: str, name: str = "gate") -> str:
    """Return the value of a demand for ``verify|issuer|revoked|known|serial|subject``."""
    return look_up(find_map(render_text("http.conf", site), f"$counterseal_panel_{name}"), facts)


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ("NONE|0|0|1||", "496:missing"),
        ("SUCCESS|1|0|1|0A|CN=a", "200:admitted"),
        ("SUCCESS|0|0|1|0A|CN=a", "495:issuer"),
        ("SUCCESS|2|0|1|0A|CN=a", "495:issuer"),
        ("SUCCESS|11|0|1|0A|CN=a", "495:issuer"),
        ("SUCCESS|1|1|1|0A|CN=a", "495:revoked"),
        ("SUCCESS|1|0|0|0A|CN=a", "495:unknown"),
        ("SUCCESS|1|1|0|0A|CN=a", "495:revoked"),
        ("FAILED:certificate has expired|1|0|1|0A|CN=a", "495:failed"),
        ("FAILED:unable to get certificate CRL|1|0|1|0A|CN=a", "495:failed"),
        ("FAILED:unable to get certificate CRL|0|0|1|0A|CN=a", "495:issuer"),
        ("FAILED|SUCCESS|1|0|1|0A|CN=a", "495:failed"),
        ("|1|0|1|0A|CN=a", "495:failed"),
        ("", "495:failed"),
        ("success|1|0|1|0A|CN=a", "495:failed"),
    ],
)
def test_every_kind_of_client_has_its_word(facts: str, word: str) -> None:
    """What no line names is refused."""
    assert decide(make_site(), facts) == word


def test_only_an_optional_site_is_open_without_a_certificate() -> None:
    """A bad certificate is refused there, too."""
    site = make_site(client_certificates=OPTIONAL)
    assert decide(site, "NONE|0|0|1||") == "200:open"
    assert decide(site, "SUCCESS|0|0|1|0A|CN=a") == "495:issuer"


def test_the_facts_follow_the_modes() -> None:
    """A list that the site does not ask for is not looked at."""
    source = {
        (mode, admit): find_map(
            render_text("http.conf", make_site(revocation=mode, admit=admit)), "$counterseal_panel_gate"
        ).arguments[0]
        for mode in Revocation
        for admit in Admit
    }
    assert {key: "$counterseal_revoked" in value for key, value in source.items()} == {
        (mode, admit): mode is not Revocation.CRL for mode in Revocation for admit in Admit
    }
    assert all(("$counterseal_known" in value) == (admit is Admit.KNOWN) for (_, admit), value in source.items())


_TRICKY = st.text('aops=OU,+\\"<>;# |1$^.*\né\u0430', min_size=1, max_size=12).filter(lambda text: text.strip() != "")
_ATTRIBUTE = st.tuples(
    st.sampled_from([NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME]),
    _TRICKY | st.sampled_from(["ops", "OU=ops", "x,OU=ops", "ops,", "\\", "\\,OU=ops"]),
)


@given(st.lists(_ATTRIBUTE, max_size=4), _TRICKY | st.just("ops"))
def test_a_group_admits_exactly_those_who_have_it(pairs: list[tuple[x509.ObjectIdentifier, str]], group: str) -> None:
    """For any subject and any group, however they are spelt."""
    try:
        site = make_site(allow=Allow(groups=(group,)))
    except ConfigError:  # refused at the door: nothing to render
        return
    subject = nginx_name(x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs]))
    is_member = (NameOID.ORGANIZATIONAL_UNIT_NAME, group) in pairs
    expected = "200:admitted" if is_member else "403:forbidden"
    assert decide(site, f"SUCCESS|1|0|1|0A|{subject}") == expected


@given(st.integers(1, (1 << 160) - 1), st.integers(1, (1 << 160) - 1))
def test_a_serial_number_admits_itself_only(allowed: int, shown: int) -> None:
    """In the spelling of nginx."""
    site = make_site(allow=Allow(serial_numbers=(allowed,)))
    facts = f"SUCCESS|1|0|1|{show_serial(shown)}|CN=a"
    assert decide(site, facts) == ("200:admitted" if allowed == shown else "403:forbidden")
    assert decide(site, f"SUCCESS|1|0|1|{show_serial(allowed)}|CN=a") == "200:admitted"


def test_a_subject_bound_to_a_ca_is_not_that_of_another() -> None:
    """The number of the issuer stands in the pattern."""
    site = make_site(client_cas=("staff", "partners"), allow=Allow(subjects=("partners:CN=a", "CN=b")))
    material = make_material(issuer_dns=(STAFF, PARTNERS), issuer_cas=("staff", "partners"))
    block = find_map(render_text("http.conf", site, material), "$counterseal_panel_gate")
    found = {(ca, cn): look_up(block, f"SUCCESS|{ca}|0|1|0A|CN={cn}")[:3] for ca in "12" for cn in "ab"}
    assert found == {("1", "a"): "403", ("2", "a"): "200", ("1", "b"): "200", ("2", "b"): "200"}


@pytest.mark.parametrize(("dns", "words"), [((STAFF,), ["403", "200"]), ((), ["495", "495"])])
def test_a_ca_that_was_revoked_is_no_issuer(dns: tuple[str, ...], words: list[str]) -> None:
    """The site names it, and nothing that nginx is given does; so it may be with all of them."""
    site = make_site(client_cas=("staff", "partners"), allow=Allow(subjects=("partners:CN=a", "CN=b")))
    material = make_material(issuer_dns=dns, issuer_cas=("staff",)[: len(dns)])
    block = find_map(render_text("http.conf", site, material), "$counterseal_panel_gate")
    assert [look_up(block, f"SUCCESS|1|0|1|0A|CN={cn}")[:3] for cn in "ab"] == words


ADMIN = make_site(client_certificates=OPTIONAL, locations=(Location("/admin", REQUIRED),))
_SEGMENT = st.sampled_from(
    ["admin", "ADMIN", "x", "", ".", "..", "%2e%2e", "%2E", ";a", "..;", "admin;a", "a%2fb", "%5c", "adminx", "%61dmin"]
)


@given(st.lists(_SEGMENT, min_size=1, max_size=5), st.sampled_from(["", "?a=/../;", "?"]))
def test_a_path_that_is_left_open_has_one_reading_only(segments: list[str], query: str) -> None:
    """No empty, dot, parameter or encoded segment, and none that begins with the protected one."""
    raw = "/" + "/".join(segments)
    block = find_map(render_text("http.conf", ADMIN), "$counterseal_panel_reach_1")
    decoded = raw.replace("%61", "a")  # the only escape that is not ambiguous
    value = look_up(block, f"{raw}{query}\n{decoded}")
    plain = all(re.fullmatch("[A-Za-z0-9]+", part) for part in decoded[1:].split("/")[:-1])
    last = re.fullmatch("[A-Za-z0-9]*", decoded.rpartition("/")[2])
    is_open = bool(plain and last and decoded.split("/")[1].lower() != "admin")
    assert value == ("200:open" if is_open else "$counterseal_panel_gate_1")


@pytest.mark.parametrize(
    ("demands", "verdict"),
    [
        ("200:open 200:open", "200:open"),
        ("200:admitted 200:admitted", "200:admitted"),
        ("200:open 496:missing", "496:missing"),
        ("200:admitted 403:forbidden", "403:forbidden"),
        ("495:revoked 403:forbidden", "495:revoked"),
        ("200:open ", "495:failed"),
        ("", "495:failed"),
        ("200:open x", "495:failed"),
    ],
)
def test_the_verdict_is_the_first_refusal(demands: str, verdict: str) -> None:
    """Every demand has to pass; anything else is refused."""
    block = find_map(render_text("http.conf", ADMIN), "$counterseal_panel_verdict")
    assert look_up(block, demands) == verdict
    assert block.directives[0].name == "volatile"


def test_every_demand_is_in_the_verdict() -> None:
    """The site's own and that of each location: one left out would leave its path open to whoever the site admits."""
    site = make_site(locations=tuple(Location(f"/{name}", allow=Allow(groups=(name,))) for name in ("a", "b", "c")))
    block = find_map(render_text("http.conf", site), "$counterseal_panel_verdict")
    reached = " ".join(f"$counterseal_panel_reach_{number}" for number in (1, 2, 3))
    assert block.arguments[0] == f"$counterseal_panel_gate {reached}"
    for number, name in enumerate("abc", start=1):
        assert decide(site, f"SUCCESS|1|0|1|0A|CN=x,OU={name}", f"gate_{number}") == "200:admitted"
        assert decide(site, f"SUCCESS|1|0|1|0A|CN=x,OU={name}x", f"gate_{number}") == "403:forbidden"


PROBE = "CN=probe good,OU=counterseal-probe"
HEADERS = "/.well-known/counterseal/headers"


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (f"403:forbidden\n{HEADERS}\n{PROBE}", "200:proof"),
        (f"403:forbidden\n{HEADERS}\nCN=alice,OU=ops", "$counterseal_panel_gate"),
        (f"403:forbidden\n{HEADERS}\nCN=x\\,OU=counterseal-probe", "$counterseal_panel_gate"),
        (f"403:forbidden\n/\n{PROBE}", "$counterseal_panel_gate"),
        (f"403:forbidden\n{HEADERS}/x\n{PROBE}", "$counterseal_panel_gate"),
        (f"495:revoked\n{HEADERS}\n{PROBE}", "$counterseal_panel_gate"),
        (f"495:unknown\n{HEADERS}\n{PROBE}", "$counterseal_panel_gate"),
        (f"496:missing\n{HEADERS}\n", "$counterseal_panel_gate"),
    ],
)
def test_behind_an_allow_list_a_probe_reaches_the_prover_alone(facts: str, word: str) -> None:
    """Whoever is no probe, or asks for anything else, meets the list as ever."""
    text = render_text("http.conf", make_site(allow=Allow(groups=("ops",))))
    assert look_up(find_map(text, "$counterseal_panel_entry"), facts) == word


def test_a_list_around_the_place_of_the_prover_is_in_the_way_too() -> None:
    """Also where only a part of the paths has one."""
    text = render_text("http.conf", make_site(locations=(Location("/.well-known", allow=Allow(groups=("ops",))),)))
    assert look_up(find_map(text, "$counterseal_panel_entry"), f"403:forbidden\n{HEADERS}\n{PROBE}") == "200:proof"


def test_without_a_list_or_an_application_probes_have_no_entry_of_their_own() -> None:
    """There is nothing in their way, or nothing to reach."""
    ops = Allow(groups=("ops",))
    below = make_site(locations=(Location("/admin", allow=ops),))
    for site in (make_site(), below, make_site(allow=ops, upstream=None, root="/srv")):
        assert "_entry" not in render_text("http.conf", site)


def test_a_ca_without_an_issuer_admits_nobody() -> None:
    """A client CA whose issuers nobody named has a pattern that never matches."""
    site = make_site(client_cas=("staff", "partners"), allow=Allow(subjects=("CN=b",)))
    material = make_material(issuer_dns=(STAFF,), issuer_cas=("staff",))
    block = find_map(render_text("http.conf", site, material), "$counterseal_panel_gate")
    assert look_up(block, "SUCCESS|2|0|1|0A|CN=b") == "495:issuer"
