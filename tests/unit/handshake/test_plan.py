"""Which rows a site is tried with."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from counterseal.handshake.backend_rows import KINDS as BACKEND_KINDS
from counterseal.handshake.catalogue import CATALOGUE
from counterseal.handshake.expectations import expected
from counterseal.handshake.observation import HEADERS_PATH, STATUS_PATH, Endpoint
from counterseal.handshake.plan import UNKNOWN_NAME, plan, probe_name
from counterseal.handshake.rows import Row, RowKind
from counterseal.handshake.site import ClientCertificates, Identities, Leaver, SiteFacts
from counterseal.handshake.verdict import Verdict
from prove_pki import prove_pki

HERE = Endpoint("127.0.0.1", 8443)
IDENTITIES = replace(prove_pki().identities, leaver=Leaver(prove_pki().leaving))
FACTS = SiteFacts(
    site="panel",
    endpoints=(HERE,),
    server_name="panel.test",
    client_certificates="required",
    other_server_names=("other.test",),
    generation=3,
    trust_anchors=b"anchors",
    identity_headers=True,
    known_only=True,
    prove_socket=Path("/run/prove.sock"),
    plain_http=(Endpoint("127.0.0.1", 8080),),
)


def kinds(rows: tuple[Row, ...]) -> Counter[RowKind]:
    """Count the rows of each kind."""
    return Counter(row.kind for row in rows)


def of_kind(kind: RowKind, facts: SiteFacts = FACTS) -> Row:
    """Return the first row of a kind."""
    return next(row for row in plan(facts, IDENTITIES) if row.kind is kind)


def test_a_site_that_requires_certificates_is_tried_with_everybody() -> None:
    """Every client over both TLS versions; what does not depend on the version once."""
    counted = kinds(plan(replace(FACTS, rival_server_name="other.test"), IDENTITIES))
    once = {RowKind.EARLY_DATA, RowKind.PLAIN_ON_TLS_PORT, RowKind.REDIRECT}
    absent = {RowKind.STAPLE, RowKind.PROTECTED_WITHOUT, RowKind.PROTECTED_GOOD, RowKind.TLS_VERSION}
    assert {kind for kind, count in counted.items() if count == 1} == once
    assert set(RowKind) - set(counted) == absent | BACKEND_KINDS | {RowKind.REVOKED_CA}
    assert all(row.skipped is None for row in plan(FACTS, IDENTITIES))


def test_each_revoked_ca_of_the_site_is_tried() -> None:
    """By name; one that cannot sign any more says so, and a site that is left without any CA why nobody else knocks."""
    good = prove_pki().identities.good
    rows = plan(FACTS, Identities(revoked_cas={"clients": good, "staff": None}))
    tried = [(row.title, row.skipped) for row in rows if row.kind is RowKind.REVOKED_CA and row.tls_version == "1.3"]
    assert tried == [
        ("good certificate of a revoked CA: clients", None),
        ("good certificate of a revoked CA: staff", "the key of the CA is not here to make one"),
    ]
    assert {row.skipped for row in rows if row.kind is RowKind.GOOD} == {
        "every client CA of the site that is in force is revoked"
    }


def test_who_was_revoked_with_its_ca_may_verify() -> None:
    """Where the list of the CA above does not name the CA yet, the pinned issuers alone keep him out."""
    gone = Leaver(prove_pki().leaving, with_its_ca=True)
    kind = RowKind.RESUMED_AFTER_REVOCATION
    facts = replace(FACTS, revocation="crl")
    (alone, *_), (with_its_ca, *_) = (
        [row.expected for row in plan(facts, replace(IDENTITIES, leaver=one)) if row.kind is kind]
        for one in (Leaver(prove_pki().leaving), gone)
    )
    assert (alone.verify, with_its_ca.verify) == ("FAILED", None)
    assert alone.verdicts == with_its_ca.verdicts


def test_a_site_that_asks_for_none_is_not_tried_with_bad_certificates() -> None:
    """They mean nothing there; that nobody is asked for one does."""
    counted = kinds(plan(replace(FACTS, client_certificates="none"), IDENTITIES))
    assert {RowKind.EXPIRED, RowKind.REVOKED, RowKind.RESUMPTION, RowKind.OTHER_SNI} & set(counted) == set()
    assert of_kind(RowKind.NO_CERTIFICATE, replace(FACTS, client_certificates="none")).expected.asked is False


def test_only_an_inventory_can_leave_somebody_out() -> None:
    """Where a site admits whatever is valid, a certificate outside the store is as good as any."""
    assert RowKind.UNLISTED not in kinds(plan(replace(FACTS, known_only=False), IDENTITIES))
    wanted = of_kind(RowKind.UNLISTED).expected
    assert wanted.verdicts == {Verdict.REFUSED}
    assert wanted.verify == "SUCCESS"


def test_missing_identities_are_skipped_with_a_reason() -> None:
    """Nobody takes an untried row for one that passed."""
    skipped = {row.kind: row.skipped for row in plan(replace(FACTS, trust_anchors=None), Identities()) if row.skipped}
    assert set(skipped) == {
        RowKind.SERVER, RowKind.GOOD, RowKind.EXPIRED, RowKind.FOREIGN, RowKind.SERVER_PURPOSE,
        RowKind.OTHER_CLIENT_CA, RowKind.UNLISTED, RowKind.REVOKED, RowKind.RESUMED_AFTER_REVOCATION,
        RowKind.FORGED_HEADERS,
    }  # fmt: skip
    assert skipped[RowKind.RESUMED_AFTER_REVOCATION] == "no client was revoked in this run"


def test_names_are_asked_for_as_meant() -> None:
    """Each row has its own SNI and always the site's Host."""
    seen = {
        kind: (row.attempt.server_name, row.attempt.host_header)
        for kind in (RowKind.GOOD, RowKind.NO_SNI, RowKind.UNKNOWN_SNI, RowKind.OTHER_SNI)
        if (row := of_kind(kind)).attempt
    }
    host = "panel.test:8443"
    assert seen == {
        RowKind.GOOD: ("panel.test", host),
        RowKind.NO_SNI: (None, host),
        RowKind.UNKNOWN_SNI: (UNKNOWN_NAME, host),
        RowKind.OTHER_SNI: ("other.test", host),
    }


@pytest.mark.parametrize(
    ("name", "asked"),
    [("a.test", "a.test"), ("*.a.test", "counterseal-probe.a.test"), (".a.test", "a.test")],
)
def test_a_wildcard_is_asked_for_by_a_name_below_it(name: str, asked: str) -> None:
    """Nobody sends an asterisk as SNI."""
    assert probe_name(name) == asked


def test_a_site_named_by_an_address_has_no_sni_to_leave_out() -> None:
    """Clients send none for an address, so nginx cannot be told to reject that."""
    row = of_kind(RowKind.NO_SNI, replace(FACTS, server_name="127.0.0.1"))
    assert "address" in (row.skipped or "")


@pytest.mark.parametrize("port", [80, 443])
def test_the_host_header_leaves_usual_ports_out(port: int) -> None:
    """As browsers do."""
    row = of_kind(RowKind.GOOD, replace(FACTS, endpoints=(Endpoint("127.0.0.1", port),)))
    assert row.attempt is not None
    assert row.attempt.host_header == "panel.test"


def test_paths_of_ours_and_of_others() -> None:
    """Our sites answer on their own page; others are asked for their root, or where the caller says."""
    paths = [
        row.attempt.path
        for facts in (FACTS, replace(FACTS, generation=None), replace(FACTS, generation=None, probe_path="/app"))
        if (row := of_kind(RowKind.GOOD, facts)).attempt
    ]
    assert paths == [STATUS_PATH, "/", "/app"]
    forging = of_kind(RowKind.FORGED_HEADERS).attempt
    assert forging is not None
    assert forging.path == HEADERS_PATH


def test_versions_that_are_not_offered_are_tried_to_be_refused() -> None:
    """A site of TLS 1.3 alone gets one row with TLS 1.2."""
    row = of_kind(RowKind.TLS_VERSION, replace(FACTS, tls_versions=("1.3",)))
    assert row.attempt is not None
    assert (row.tls_version, row.attempt.tls_version) == ("1.2", "1.2")


@pytest.mark.parametrize(
    ("changes", "tried"),
    [
        ({}, ["1.3"]),
        ({"client_certificates": "optional"}, ["1.3"]),
        ({"tls_versions": ("1.2",)}, []),
        ({"client_certificates": "none"}, []),
        ({"is_stream": True}, []),
    ],
)
def test_early_data_is_looked_for_where_it_can_be(changes: dict[str, Any], tried: list[str]) -> None:
    """TLS 1.3 alone has it, and it matters where a request is somebody's; nginx takes none in a stream."""
    rows = plan(replace(FACTS, **changes), IDENTITIES)
    assert [row.tls_version for row in rows if row.kind is RowKind.EARLY_DATA] == tried


def test_a_protected_path_is_tried_below_itself_too() -> None:
    """Where regex and nested locations take over, with a pretended identity, in both versions; and as a good client."""
    rows = plan(replace(FACTS, client_certificates="optional", protected_paths=("/admin",)), IDENTITIES)
    tried = [row.attempt for row in rows if row.kind is RowKind.PROTECTED_WITHOUT and row.attempt]
    below = ["/admin", "/admin/probe.php", "/admin/probe.png", "/admin/probe/probe"]
    assert [(one.tls_version, one.path) for one in tried] == [(tls, path) for tls in ("1.2", "1.3") for path in below]
    assert all(("X-SSL-Client-Verify", "SUCCESS") in attempt.headers and not attempt.identity for attempt in tried)
    assert kinds(rows)[RowKind.PROTECTED_GOOD] == 2


@pytest.mark.parametrize(
    ("listed", "verdict"),
    [
        ((), Verdict.ADMITTED),
        (("/admin",), Verdict.FORBIDDEN),
        (("/adm",), Verdict.ADMITTED),
        (("/",), Verdict.FORBIDDEN),
    ],
)
def test_a_listed_path_keeps_the_probe_out(listed: tuple[str, ...], verdict: Verdict) -> None:
    """No probe is on an allow list, so a good one must get 403 there and below."""
    row = of_kind(RowKind.PROTECTED_GOOD, replace(FACTS, protected_paths=("/admin/",), listed_paths=listed))
    assert verdict in row.expected.verdicts


def test_resumption_offered_on_purpose_is_no_fault() -> None:
    """But a session of another site never is right."""
    counted = kinds(plan(replace(FACTS, resumption=True), IDENTITIES))
    assert RowKind.RESUMPTION not in counted
    assert counted[RowKind.CROSS_SITE_RESUMPTION] == 2


def test_the_leaver_offers_the_session_of_that_endpoint_and_version() -> None:
    """Each session once, where it was made."""
    rows = [row for row in plan(FACTS, IDENTITIES) if row.kind is RowKind.RESUMED_AFTER_REVOCATION]
    assert [(row.endpoint, row.tls_version) for row in rows] == [(HERE, "1.2"), (HERE, "1.3")]


@pytest.mark.parametrize("mode", ["none", "optional", "required"])
@pytest.mark.parametrize("kind", list(RowKind))
def test_every_kind_has_words_and_an_expectation(kind: RowKind, mode: ClientCertificates) -> None:
    """The catalogue and the expectations know every kind, for every site."""
    assert CATALOGUE[kind].title
    assert CATALOGUE[kind].why
    for generation in (None, 3):
        assert expected(kind, replace(FACTS, client_certificates=mode, generation=generation)).verdicts


def test_somebody_elses_default_server_may_answer() -> None:
    """Only where a certificate is required does it matter what a client without SNI meets."""
    other = replace(FACTS, generation=None, client_certificates="optional")
    assert RowKind.NO_SNI not in kinds(plan(other, IDENTITIES))
    row = of_kind(RowKind.NO_SNI, replace(other, client_certificates="required"))
    assert row.attempt is not None
    assert row.attempt.identity is None
