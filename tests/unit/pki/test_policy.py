"""Policy: what is issued, and every reason for which it is not."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from counterseal.errors import RefusedError
from counterseal.findings import Severity
from counterseal.pki.certificate import IssuanceRequest, Issuer
from counterseal.pki.names import parse_name, show_name
from counterseal.pki.pointers import pointers
from counterseal.pki.policy import BACKDATE, Asked, decide
from counterseal.pki.profile import CLIENT, CLIENT_PROBE, PROBE_GROUP, SERVER, SERVER_PROBE, Profile, Purpose
from counterseal.pki.subject import parse_subject
from pki_fixtures import (
    ISSUER_CREATED,
    ISSUER_EXPIRES,
    ROOT_CREATED,
    ROOT_EXPIRES,
    WHILE_VALID,
    key_of,
    make_ca,
    pki,
)

KEY = key_of("p-256").public_key()
SERIAL = 2**120
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def issuer(purpose: Purpose = Purpose.ANY) -> Issuer:
    """Return the client CA of the fixture below its root, for whatever purpose."""
    return Issuer.of("clients", [pki().client_ca.certificate, pki().root.certificate], purpose)


def asked(profile: Profile = CLIENT, *names: str, subject: str = "CN=client.device", **more: object) -> Asked:
    """Return what is asked for; a subject of "" is an empty one."""
    name = parse_subject(subject) if subject else x509.Name([])
    plain = Asked(profile, name, tuple(parse_name(text) for text in names), KEY)
    return plain._replace(**more)  # type: ignore[arg-type] # the fields that a test names


def issued(request: Asked) -> IssuanceRequest:
    """Return what is issued while everything is valid."""
    return decide(request, issuer(), serial_number=SERIAL, now=WHILE_VALID)


def reasons(request: Asked, above: Issuer | None = None, now: datetime = WHILE_VALID) -> list[tuple[str, str]]:
    """Return code and message of every reason for the refusal."""
    with pytest.raises(RefusedError) as caught:
        decide(request, above or issuer(), serial_number=SERIAL, now=now)
    assert caught.value.code == "policy.refused"
    assert {finding.severity for finding in caught.value.findings} == {Severity.CRITICAL}
    return [(finding.code, finding.message) for finding in caught.value.findings]


def codes(request: Asked, above: Issuer | None = None, now: datetime = WHILE_VALID) -> list[str]:
    """Return the code of every reason for the refusal."""
    return [code for code, _ in reasons(request, above, now)]


def hint(request: Asked, now: datetime = WHILE_VALID) -> str | None:
    """Return the hint of the only reason for the refusal."""
    with pytest.raises(RefusedError) as caught:
        decide(request, issuer(), serial_number=SERIAL, now=now)
    (finding,) = caught.value.findings
    return finding.hint


def test_what_is_issued() -> None:
    """The answer carries what was asked, the lifetime of the profile and the serial number handed in."""
    request = issued(asked(CLIENT, "ops@example.org"))
    assert (request.profile, request.subject, request.serial_number) == (
        CLIENT,
        parse_subject("CN=client.device"),
        SERIAL,
    )
    assert request.public_key == KEY
    assert request.not_before == WHILE_VALID - BACKDATE
    assert request.not_after - request.not_before == CLIENT.lifetime


@pytest.mark.parametrize(
    ("ends_in", "longest", "begins_before"),
    [
        (timedelta(days=3), timedelta(days=90), BACKDATE),
        (timedelta(minutes=12), timedelta(days=90), timedelta(minutes=1)),
        (timedelta(hours=6) - SECOND, timedelta(hours=6), SECOND),
        (timedelta(hours=6), timedelta(hours=6), timedelta(0)),
    ],
)
def test_an_end_to_the_second(ends_in: timedelta, longest: timedelta, begins_before: timedelta) -> None:
    """It is dated back no further than the longest lifetime reaches."""
    end = WHILE_VALID + ends_in
    request = issued(asked(replace(CLIENT, max_lifetime=longest))._replace(not_after=end))
    assert (request.not_before, request.not_after) == (WHILE_VALID - begins_before, end)


@pytest.mark.parametrize("ends_in", [timedelta(0), -DAY, 90 * DAY + SECOND])
def test_an_end_that_is_refused(ends_in: timedelta) -> None:
    """Over already, or too far away."""
    order = asked(replace(CLIENT, max_lifetime=90 * DAY))._replace(not_after=WHILE_VALID + ends_in)
    assert codes(order) == ["policy.lifetime"]


def test_only_a_server_whose_certificate_names_a_responder_must_staple() -> None:
    """Of any other nobody could staple, and clients would refuse it."""
    plain, told = issuer(), issuer()._replace(pointers=pointers("http://pki.test", "x"))
    silent = issuer()._replace(pointers=pointers("http://pki.test", "x", ocsp=False))
    server = asked(SERVER, "a.example", must_staple=True)
    assert decide(server, told, serial_number=SERIAL, now=WHILE_VALID).must_staple
    assert codes(asked(CLIENT, must_staple=True), told) == ["policy.must_staple"]
    for above in (plain, silent):
        assert reasons(server, above) == [
            ("policy.must_staple", "must-staple cannot be met: certificates of CA 'clients' name no OCSP responder")
        ]


def test_names_are_issued_once_and_in_one_form() -> None:
    """A CSR may write a name in capitals, with a dot at its end, or twice."""
    foreign = (x509.DNSName("A.Example."), x509.DNSName("a.example"), x509.IPAddress(ip_address("10.0.0.1")))
    request = issued(asked(SERVER, names=foreign))
    assert [show_name(name) for name in request.names] == ["DNS:a.example", "IP:10.0.0.1"]


@pytest.mark.parametrize("profile", [SERVER, CLIENT])
def test_a_good_order_of_each_profile(profile: Profile) -> None:
    """Both profiles issue under a CA of their purpose, a server under one for anything too."""
    for purpose in (profile.purpose, Purpose.ANY):
        order = asked(profile, "a.example")
        assert decide(order, issuer(purpose), serial_number=SERIAL, now=WHILE_VALID).profile is profile


def test_an_issuer_of_another_purpose() -> None:
    """A client CA certifies no server, whatever is asked; a profile for anything needs a CA for anything."""
    assert reasons(asked(SERVER, "a.example"), issuer(Purpose.CLIENT)) == [
        ("policy.issuer_purpose", "issuer 'clients' is for client certificates, not for profile 'server'")
    ]
    assert codes(asked(CLIENT), issuer(Purpose.SERVER)) == ["policy.issuer_purpose"]
    assert codes(asked(replace(CLIENT, purpose=Purpose.ANY)), issuer(Purpose.CLIENT)) == ["policy.issuer_purpose"]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (ISSUER_CREATED, []),
        (ISSUER_CREATED - SECOND, ["policy.issuer_not_yet_valid"]),
        (ROOT_CREATED - SECOND, ["policy.issuer_not_yet_valid", "policy.issuer_not_yet_valid"]),
        (datetime(1970, 1, 1, tzinfo=UTC), ["policy.issuer_not_yet_valid", "policy.issuer_not_yet_valid"]),
        (ISSUER_EXPIRES - DAY, []),
        (ISSUER_EXPIRES, ["policy.outlives_issuer"]),
        (ISSUER_EXPIRES + SECOND, ["policy.issuer_expired"]),
        (ROOT_EXPIRES + SECOND, ["policy.issuer_expired", "policy.issuer_expired"]),
    ],
)
def test_the_validity_of_the_issuers(now: datetime, expected: list[str]) -> None:
    """Every CA of the path is valid at the moment of issuing, both ends included; a clock set back is noticed."""
    order = asked(lifetime=timedelta(hours=1))
    if expected:
        assert codes(order, now=now) == expected
    else:
        request = decide(order, issuer(), serial_number=SERIAL, now=now)
        assert ISSUER_CREATED <= request.not_before <= now <= request.not_after <= ISSUER_EXPIRES


def test_a_fresh_issuer_dates_its_first_certificates_at_its_own_beginning() -> None:
    """No certificate begins before the CA that signs it."""
    request = decide(asked(), issuer(), serial_number=SERIAL, now=ISSUER_CREATED + SECOND)
    assert request.not_before == ISSUER_CREATED
    assert request.not_after == ISSUER_CREATED + CLIENT.lifetime


def test_the_issuer_that_ends_first_counts() -> None:
    """An imported intermediate may outlive its root."""
    root = make_ca("Short Root", expires=WHILE_VALID + 10 * DAY)
    above = Issuer.of("clients", [make_ca("Long CA", root).certificate, root.certificate], Purpose.ANY)
    assert reasons(asked(lifetime=11 * DAY), above) == [
        (
            "policy.outlives_issuer",
            "the certificate would end 2026-06-12 11:55 UTC and outlive CN=Short Root, which ends in 10d",
        )
    ]


@pytest.mark.parametrize(
    ("left", "advice"),
    [
        (3 * DAY + timedelta(hours=5), "3d"),
        (timedelta(hours=5, minutes=5), "5h"),
        (timedelta(minutes=5, seconds=5), "5m"),
        (timedelta(seconds=5), "5s"),
    ],
)
def test_the_hint_names_a_lifetime_that_fits(left: timedelta, advice: str) -> None:
    """What the hint says can be typed, and is then issued."""
    now = ISSUER_EXPIRES - left
    assert (hint(asked(), now) or "").startswith(f"use --lifetime {advice} or less")
    unit = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}[advice[-1]]
    shorter = asked(lifetime=timedelta(**{unit: int(advice[:-1])}))
    assert decide(shorter, issuer(), serial_number=SERIAL, now=now).not_after <= ISSUER_EXPIRES


@pytest.mark.parametrize(
    ("lifetime", "maximum", "expected"),
    [
        (timedelta(0), 3650 * DAY, "lifetime is shorter than a second: 0s"),
        (-DAY, 3650 * DAY, "lifetime is shorter than a second: -86400s"),
        (timedelta(microseconds=999_999), 3650 * DAY, "lifetime is shorter than a second: 0.999999s"),
        (timedelta.min, 3650 * DAY, "lifetime is shorter than a second: -8.64e+13s"),
        (3650 * DAY + SECOND, 3650 * DAY, "lifetime 3650d 1s is above 3650d, profile 'client'"),
        (999_999_999 * DAY, 3650 * DAY, "lifetime 999999999d is above 3650d, profile 'client'"),
        (999_999_999 * DAY, timedelta.max, "lifetime reaches past the year 9999: 999999999d"),
        (timedelta(days=365 * 8000), timedelta.max, "lifetime reaches past the year 9999: 2920000d"),
    ],
)
def test_lifetimes_that_are_refused(lifetime: timedelta, maximum: timedelta, expected: str) -> None:
    """Nothing, less than nothing, more than the profile has, and more than a calendar holds."""
    order = asked(replace(CLIENT, max_lifetime=maximum), lifetime=lifetime)
    assert reasons(order) == [("policy.lifetime", expected)]


@pytest.mark.parametrize(
    ("lifetime", "backdated"),
    [
        (SECOND, timedelta(0)),
        (timedelta(minutes=1), timedelta(seconds=5)),
        (timedelta(hours=1), timedelta(minutes=5)),
        (3650 * DAY, timedelta(minutes=5)),
    ],
)
def test_a_certificate_is_valid_for_exactly_its_lifetime(lifetime: timedelta, backdated: timedelta) -> None:
    """Short ones are dated back by a twelfth at most, so that they are not over before they begin."""
    request = issued(asked(lifetime=lifetime))
    assert request.not_after - request.not_before == lifetime
    assert timedelta(0) <= WHILE_VALID - request.not_before - backdated < SECOND


def test_dates_are_whole_seconds() -> None:
    """A clock with microseconds, and a lifetime with them, give dates that a certificate can hold."""
    now = WHILE_VALID.replace(microsecond=999_999)
    request = decide(asked(lifetime=timedelta(seconds=100.5)), issuer(), serial_number=SERIAL, now=now)
    assert (request.not_before.microsecond, request.not_after.microsecond) == (0, 0)
    assert request.not_after - request.not_before == timedelta(seconds=100)


def test_the_clock_s_time_zone_does_not_matter() -> None:
    """The same moment told in another zone gives the same dates."""
    elsewhere = WHILE_VALID.astimezone(timezone(timedelta(hours=9)))
    here, there = (decide(asked(), issuer(), serial_number=SERIAL, now=now) for now in (WHILE_VALID, elsewhere))
    assert (here.not_before, here.not_after) == (there.not_before, there.not_after)


def test_only_probes_are_dated() -> None:
    """Who could choose not_before could issue into the past, from before a revocation."""
    assert codes(asked(not_before=WHILE_VALID - DAY)) == ["policy.not_before"]


def probe(profile: Profile = CLIENT_PROBE, group: str = PROBE_GROUP, **more: object) -> Asked:
    """Return what a proof asks for."""
    return asked(profile, subject=f"CN=probe,OU={group}", **more)


@pytest.mark.parametrize("profile", [CLIENT_PROBE, SERVER_PROBE])
def test_a_probe_may_lie_in_the_past(profile: Profile) -> None:
    """An expired certificate is made expired; it has its dates to the second and needs no name."""
    begin = WHILE_VALID - 2 * DAY
    request = issued(probe(profile, not_before=begin, lifetime=DAY))
    assert (request.not_before, request.not_after) == (begin, begin + DAY)


def test_a_probe_does_not_outlive_its_issuer_either() -> None:
    """A date of its own is no way round the end of the CA."""
    assert codes(probe(not_before=ISSUER_EXPIRES - DAY, lifetime=2 * DAY)) == ["policy.outlives_issuer"]


def test_a_probe_is_marked_and_nobody_else() -> None:
    """The group of probes passes no allow list; nginx compares without regard to case, so policy does too."""
    assert codes(asked(CLIENT_PROBE)) == ["policy.subject"]
    for group in (PROBE_GROUP, PROBE_GROUP.upper(), rf"\ {PROBE_GROUP}\ "):
        assert codes(asked(subject=f"CN=a,OU=ops,OU={group}")) == ["policy.subject"]
    issued(asked(subject="CN=a,OU=ops"))


@pytest.mark.parametrize(
    ("attribute", "message"),
    [
        (
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "a\x1b[2J"),
            r"control character in subject attribute O: 'a\x1b[2J'",
        ),
        (
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "x" * 65),
            "subject attribute OU has 65 characters, at most 64: '" + "x" * 65 + "'",
        ),
        (x509.NameAttribute(NameOID.LOCALITY_NAME, ""), "subject attribute L is empty: ''"),
        (x509.NameAttribute(x509.ObjectIdentifier("1.2.3.4"), "a"), "unknown subject attribute: 1.2.3.4"),
    ],
)
def test_subjects_that_are_refused(attribute: x509.NameAttribute[str], message: str) -> None:
    """A subject out of a CSR is judged as a typed one is."""
    assert reasons(asked()._replace(subject=x509.Name([attribute]))) == [("policy.subject", message)]


def test_a_certificate_names_somebody() -> None:
    """A name without a subject will do, nothing at all will not."""
    issued(asked(CLIENT, "a.example", subject=""))
    assert reasons(asked(CLIENT, subject="")) == [("policy.subject", "neither a subject nor a name is given")]


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        (SERVER, "ops@example.org"),
        (CLIENT, "10.0.0.1"),
        (CLIENT_PROBE, "a.example"),
        (replace(CLIENT, name_kinds=frozenset({"URI"})), "a.example"),
    ],
)
def test_kinds_of_names_that_a_profile_does_not_permit(profile: Profile, name: str) -> None:
    """Each profile lists the kinds it takes."""
    subject = f"CN=a,OU={PROBE_GROUP}" if profile.probe else "CN=a"
    names = ("a.example", name) if profile.requires_name else (name,)
    assert codes(asked(profile, *names, subject=subject)) == ["policy.name_kind"]


def test_the_hint_lists_the_permitted_kinds() -> None:
    """Also when there are none."""
    assert hint(asked(CLIENT, "10.0.0.1")) == "permitted are DNS, URI, email"
    assert hint(probe(names=(parse_name("a.example"),))) == "permitted are none"


@pytest.mark.parametrize(
    "name",
    [
        x509.DNSName("a,URI:spiffe://x"),
        x509.DNSName("a\x00b"),
        x509.RFC822Name("a b@example.org"),
        x509.UniformResourceIdentifier("urn:x"),
        x509.UniformResourceIdentifier("http://["),
    ],
)
def test_names_of_a_csr_are_judged_strictly(name: x509.GeneralName) -> None:
    """Whatever octets stand in a request, only names of strict syntax are certified."""
    assert codes(asked(names=(name,))) == ["policy.name"]


def test_kinds_that_are_never_issued() -> None:
    """No profile can take a directory name or another name."""
    names = (x509.DirectoryName(parse_subject("CN=a")), x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"))
    assert codes(asked(names=names)) == ["policy.name_kind", "policy.name_kind"]
    everything = replace(CLIENT, name_kinds=frozenset({"DNS", "other"}))
    assert codes(asked(everything, names=names)) == ["policy.name", "policy.name"]


def test_wildcards() -> None:
    """A server may have them, a client not; a profile decides."""
    issued(asked(SERVER, "*.example.com"))
    assert codes(asked(CLIENT, "*.example.com")) == ["policy.wildcard"]
    assert codes(asked(replace(SERVER, wildcards=False), "*.example.com")) == ["policy.wildcard"]


@pytest.mark.parametrize(
    ("name", "permitted"),
    [
        ("corp.example", True),
        ("a.b.corp.example", True),
        ("*.corp.example", True),
        ("other.example", True),
        ("xcorp.example", False),
        ("*.example", False),
        ("corp.example.evil", False),
        ("URI:spiffe://corp.example/a", True),
        ("URI:https://a.corp.example:8443/", True),
        ("URI:spiffe://evil.example/a", False),
        ("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", False),
        ("tag:corp.example,2026:a", False),
        ("ops@corp.example", True),
        ("ops@evil.example", False),
        ("10.0.0.1", True),
        ("URI:https://10.0.0.1/", True),
    ],
)
def test_permitted_domains(name: str, *, permitted: bool) -> None:
    """DNS names, mailboxes and URIs lie in a permitted domain, however it is written; URNs lie in none.

    To addresses that says nothing.
    """
    kinds = frozenset({"DNS", "IP", "email", "URI"})
    profile = replace(SERVER, name="corp", permitted_domains=("Corp.Example", "other.example"), name_kinds=kinds)
    order = asked(profile, "corp.example", name)
    if permitted:
        assert issued(order).names
    else:
        assert reasons(order) == [
            ("policy.name_not_permitted", f"name not permitted by profile 'corp': {show_name(parse_name(name))}")
        ]


def test_a_server_needs_a_host_name() -> None:
    """A URI is a name, and no client finds a server by it."""
    assert codes(asked(SERVER)) == ["policy.name_missing"]
    assert codes(asked(SERVER, "spiffe://example.org/a")) == ["policy.name_missing"]
    issued(asked(SERVER, "10.0.0.1"))


def test_weak_keys() -> None:
    """What is too weak for anybody is said once; what is too weak for this profile as well."""
    strict = replace(CLIENT, min_rsa_bits=3072)
    weak = rsa.generate_private_key(65_537, 1024).public_key()  # noqa: S505 - weak on purpose
    assert codes(asked(strict, public_key=weak)) == ["key.weak"]
    assert reasons(asked(strict, public_key=key_of("rsa-2048").public_key())) == [
        ("policy.key", "profile 'client' needs RSA keys of 3072 bits, not 2048")
    ]
    assert codes(asked(public_key=ec.generate_private_key(ec.SECP256K1()).public_key())) == ["key.unsuitable"]
    issued(asked(strict))


def test_all_reasons_are_told_together() -> None:
    """One answer, everything that has to change."""
    order = Asked(
        CLIENT,
        parse_subject(f"CN=a,OU={PROBE_GROUP}"),
        (parse_name("*.example.com"), parse_name("10.0.0.1"), x509.DNSName("a b")),
        ec.generate_private_key(ec.SECP256K1()).public_key(),
        lifetime=timedelta(days=9999),
    )
    assert codes(order, issuer(Purpose.SERVER), ISSUER_CREATED - DAY) == [
        "policy.issuer_purpose",
        "policy.issuer_not_yet_valid",
        "key.unsuitable",
        "policy.lifetime",
        "policy.subject",
        "policy.wildcard",
        "policy.name_kind",
        "policy.name",
    ]


@pytest.mark.parametrize(
    ("subject", "names", "expected"),
    [
        ("CN=a", (), "refused by profile 'server': CN=a"),
        ("", (x509.DNSName("a b"),), "refused by profile 'server': DNS:a b"),
        ("", (), "refused by profile 'server': no name"),
    ],
)
def test_the_refusal_says_whom_it_is_about(subject: str, names: tuple[x509.GeneralName, ...], expected: str) -> None:
    """By subject, else by name."""
    with pytest.raises(RefusedError) as caught:
        issued(asked(SERVER, subject=subject, names=names))
    assert caught.value.message == expected


@given(
    st.timedeltas(),
    st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    st.sampled_from([3650 * DAY, timedelta.max]),
)
def test_any_lifetime_at_any_time_is_issued_or_refused(lifetime: timedelta, now: datetime, longest: timedelta) -> None:
    """No clock and no lifetime ends in anything but an answer; what is issued lies within the issuer."""
    order = asked(replace(CLIENT, max_lifetime=longest), lifetime=lifetime)
    with suppress(RefusedError):
        request = decide(order, issuer(), serial_number=SERIAL, now=now)
        assert ISSUER_CREATED <= request.not_before <= now
        assert request.not_before < request.not_after <= ISSUER_EXPIRES
