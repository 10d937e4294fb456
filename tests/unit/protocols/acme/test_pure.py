"""Nonces, external binding, identifiers, states, renewal, reach: what needs neither store nor HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address, ip_network
from itertools import product
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from acme_signing import ClientKey, b64, csr, external_binding
from counterseal.errors import InputError
from counterseal.pki.csr import parse_csr
from counterseal.protocols.acme.accounts import origin_of
from counterseal.protocols.acme.encoding import encode, read_json
from counterseal.protocols.acme.exchange import ID_BYTES as OBJECT_BYTES
from counterseal.protocols.acme.external import ID_BYTES, mac_key, new_external_key, read_binding
from counterseal.protocols.acme.identifiers import Identifier, read_identifiers, requested_by
from counterseal.protocols.acme.jwk import AccountKey
from counterseal.protocols.acme.jws import Flattened
from counterseal.protocols.acme.nonces import LIFETIME_SECONDS, PAGE, Numbered, check_nonce, make_nonce
from counterseal.protocols.acme.objects import URLs, challenge_kinds
from counterseal.protocols.acme.payloads import RawIdentifier
from counterseal.protocols.acme.problems import STATUS, Problem
from counterseal.protocols.acme.renewal import CertificateName, poll_seconds, window
from counterseal.protocols.acme.states import (
    AUTHORIZATION,
    ORDER,
    AuthorizationEvent,
    AuthorizationStatus,
    OrderEvent,
    OrderStatus,
    authorization_status,
    challenge_status,
    follow,
    order_status,
)
from counterseal.protocols.acme.validation.reach import parse_address, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

AT = 1_800_000_000
SECRET = b"secret of this service and no other"
KEY = ClientKey()


def kind_of(action: Callable[[], object]) -> str:
    """Return the kind of the problem that ``action`` ends in."""
    with pytest.raises(Problem) as caught:
        action()
    assert caught.value.document()["status"] == caught.value.status
    return caught.value.kind


# ------------------------------------------------------------------------------------------------------- nonces


def test_a_nonce_is_good_for_an_hour_and_for_this_service_alone() -> None:
    """Any replica with the secret takes it; nobody else could have made it."""
    nonce = make_nonce(SECRET, at=AT, own=bytes(12))
    assert check_nonce(SECRET, nonce, at=AT + LIFETIME_SECONDS) == (nonce, bytes(12), AT + LIFETIME_SECONDS)
    changed = nonce[:-1] + ("A" if nonce[-1] != "A" else "Q")
    foreign = make_nonce(b"other", at=AT, own=bytes(12))
    for strange in (None, "", "AAAA", nonce + "AAAA", nonce[4:], changed, foreign):
        assert kind_of(partial(check_nonce, SECRET, strange, at=AT)) == "badNonce"
    for unreadable in ("x", "a b=", nonce + "=", nonce + "A", nonce[:-1] + "+"):
        assert kind_of(partial(check_nonce, SECRET, unreadable, at=AT)) == "malformed"  # RFC 8555 6.5.2
    for at in (AT + LIFETIME_SECONDS + 1, AT - 61):
        assert kind_of(partial(check_nonce, SECRET, nonce, at=at)) == "badNonce"


def test_a_numbered_nonce_is_used_once_and_by_its_process_alone() -> None:
    """Whatever their order, over several pages; another process, or this one before a restart, made others."""
    mine, other = Numbered(b"mine  "), Numbered(b"other ")
    made = [mine.next(AT) for _ in range(2 * PAGE + 3)]
    assert len(set(made)) == len(made)
    assert all(mine.use(own) for own in reversed(made))
    assert not any(mine.use(own) for own in made)
    assert not mine.use(other.next(AT))
    assert not mine.use(b"mine  " + (3 * PAGE).to_bytes(6, "big"))


def test_numbered_nonces_are_forgotten_when_they_are_too_old() -> None:
    """A page is kept until its last nonce is; what is forgotten is not taken, and no number comes again."""
    numbered = Numbered(b"mine  ")
    old = [numbered.next(AT) for _ in range(PAGE)]
    young = [numbered.next(AT + 10) for _ in range(PAGE)]
    last = [numbered.next(AT + 10 + LIFETIME_SECONDS) for _ in range(PAGE)]
    assert numbered.use(old[0])
    last.append(numbered.next(AT + 11 + LIFETIME_SECONDS))
    assert not numbered.use(old[1])
    assert [numbered.use(own) for own in (young[0], young[0], last[0], last[-1])] == [True, False, True, True]


# ------------------------------------------------------------------------------------ external account binding


def test_a_key_for_binding_can_be_typed() -> None:
    """It never begins like an option."""
    drawn = [number.to_bytes(ID_BYTES, "big") for number in range(1_000)]
    dashed = next(one for one in drawn if encode(mac_key(SECRET, one.hex())).startswith("-"))
    plain = next(one for one in drawn if not encode(mac_key(SECRET, one.hex())).startswith("-"))
    draws = iter([dashed, plain])
    record, shown = new_external_key(
        secret=SECRET, random_bytes=lambda _: next(draws), name="ops", at=0, by="me", expires_at=None, reusable=False
    )
    assert (record.id, shown) == (plain.hex(), encode(mac_key(SECRET, plain.hex())))


def binding(**changes: object) -> str:
    """Return the id of the external key that a binding with these changes names."""
    made = external_binding("1", encode(mac_key(SECRET, "1")), KEY, "https://x/new-account")
    document = {**made, **changes}
    flattened = read_json(json.dumps(document).encode(), Flattened, "it")
    return read_binding(flattened, jwk=AccountKey.of(KEY.jwk).jwk, url="https://x/new-account", secret=SECRET)


def test_a_binding_names_its_key() -> None:
    """When its MAC is right and it holds the account's key."""
    assert binding() == "1"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"signature": b64(bytes(32))}, "unauthorized"),
        ({"header": {}}, "malformed"),
        ({"protected": b64(b'{"alg":"none","kid":"1","url":"https://x/new-account"}')}, "badSignatureAlgorithm"),
        ({"protected": b64(b'{"alg":"ES256","kid":"1","url":"https://x/new-account"}')}, "badSignatureAlgorithm"),
        ({"protected": b64(b'{"alg":"HS256","kid":"1","url":"https://y/new-account"}')}, "malformed"),
        ({"protected": b64(b'{"alg":"HS256","kid":"1","url":"https://x/new-account","nonce":"n"}')}, "malformed"),
        ({"protected": b64(b'{"alg":"HS256","kid":"2","url":"https://x/new-account"}')}, "unauthorized"),
    ],
    ids=str,
)
def test_another_binding_is_refused(change: dict[str, object], kind: str) -> None:
    """A wrong MAC, an algorithm that is none, another url, another id."""
    assert kind_of(lambda: binding(**change)) == kind


def test_a_binding_of_another_key_is_refused() -> None:
    """Although its MAC is right."""
    made = external_binding("1", encode(mac_key(SECRET, "1")), ClientKey(), "u")
    flattened = read_json(json.dumps(made).encode(), Flattened, "it")
    assert (
        kind_of(lambda: read_binding(flattened, jwk=AccountKey.of(KEY.jwk).jwk, url="u", secret=SECRET)) == "malformed"
    )


# -------------------------------------------------------------------------------------------------- identifiers


def test_identifiers_take_their_one_form() -> None:
    """Case, and the many ways to write an IPv6 address."""
    raw = [
        RawIdentifier("dns", "A.Example.COM"),
        RawIdentifier("dns", "*.example.com"),
        RawIdentifier("ip", "FD00:0::1"),
    ]
    found = read_identifiers([*raw, RawIdentifier("dns", "a.example.com")])
    assert [(one.kind, one.value, one.wildcard, one.base) for one in found] == [
        ("dns", "a.example.com", False, "a.example.com"),
        ("dns", "*.example.com", True, "example.com"),
        ("ip", "fd00::1", False, "fd00::1"),
    ]


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        ("email", "a@b.example", "unsupportedIdentifier"),
        ("dns", "bücher.example", "malformed"),
        ("dns", "10.0.0.1", "rejectedIdentifier"),
        ("dns", "a..b", "rejectedIdentifier"),
        ("dns", "a*.example.com", "rejectedIdentifier"),
        ("dns", "", "rejectedIdentifier"),
        ("dns", "a" * 900, "rejectedIdentifier"),
        ("ip", "10.0.0.0/8", "rejectedIdentifier"),
        ("ip", "fe80::1%eth0", "rejectedIdentifier"),
        ("ip", "010.0.0.1", "rejectedIdentifier"),
        ("ip", "example.com", "rejectedIdentifier"),
    ],
)
def test_what_cannot_be_an_identifier_is_named(kind: str, value: str, problem: str) -> None:
    """With a subproblem that holds it, beside others."""
    with pytest.raises(Problem) as caught:
        read_identifiers([RawIdentifier("dns", "ok.example.com"), RawIdentifier(kind, value)])
    (sub,) = caught.value.document()["subproblems"]
    assert caught.value.kind == problem
    assert sub["identifier"] == {"type": kind, "value": value}


def test_several_faults_of_several_kinds_are_compound() -> None:
    """RFC 8555 6.7.1."""
    raw = [RawIdentifier("email", "a"), RawIdentifier("ip", "x")]
    assert kind_of(lambda: read_identifiers(raw)) == "compound"


def test_a_name_in_the_common_name_counts() -> None:
    """Clients put the first name there, and sometimes only there."""
    assert requested_by(parse_csr(csr(common_name="A.example.com"))) == {Identifier("dns", "a.example.com")}
    assert requested_by(parse_csr(csr("b.example.com", common_name="10.0.0.1"))) == {
        Identifier("dns", "b.example.com"),
        Identifier("ip", "10.0.0.1"),
    }


@pytest.mark.parametrize(
    "made", [csr(x509.RFC822Name("a@b.example")), csr(common_name="no name")], ids=["mail", "words"]
)
def test_a_csr_for_something_else_is_bad(made: bytes) -> None:
    """Nothing in it is passed over in silence."""
    assert kind_of(lambda: requested_by(parse_csr(made))) == "badCSR"


def test_a_name_of_another_kind_is_no_identifier() -> None:
    """RFC 8555 9.7.7, RFC 8738: domain names and addresses."""
    with pytest.raises(InputError) as caught:
        Identifier.of(x509.RFC822Name("a@b.example"))
    assert caught.value.code == "csr.name_kind"


def test_a_wildcard_takes_dns_and_an_address_does_not() -> None:
    """RFC 8555 7.1.3, RFC 8738 7."""
    every = ("http-01", "dns-01", "tls-alpn-01")
    assert challenge_kinds("dns", wildcard=True, offered=every) == ("dns-01",)
    assert challenge_kinds("ip", wildcard=False, offered=every) == ("http-01", "tls-alpn-01")
    assert challenge_kinds("dns", wildcard=True, offered=("http-01",)) == ()


# ------------------------------------------------------------------------------------------------------- states


def test_no_state_follows_an_end() -> None:
    """What is invalid or issued stays so, whatever happens (RFC 8555 7.1.6)."""
    for status, event in product((OrderStatus.VALID, OrderStatus.INVALID), OrderEvent):
        assert follow(ORDER, status, event) is status
    ends = set(AuthorizationStatus) - {AuthorizationStatus.PENDING, AuthorizationStatus.VALID}
    for ended, happening in product(ends, AuthorizationEvent):
        assert follow(AUTHORIZATION, ended, happening) is ended


def test_a_certificate_comes_only_after_processing_and_that_only_after_ready() -> None:
    """There is no other way through the table."""
    assert [before for (before, _), after in ORDER.items() if after is OrderStatus.VALID] == [OrderStatus.PROCESSING]
    assert [before for (before, _), after in ORDER.items() if after is OrderStatus.PROCESSING] == [OrderStatus.READY]
    assert [event for (_, event), after in ORDER.items() if after is OrderStatus.READY] == [OrderEvent.AUTHORIZED]


@pytest.mark.parametrize(
    ("stored", "authorizations", "left", "now"),
    [
        ("pending", ["pending"], 1, "pending"),
        ("pending", ["valid", "pending"], 1, "pending"),
        ("pending", ["valid", "valid"], 1, "ready"),
        ("pending", ["valid", "invalid"], 1, "invalid"),
        ("pending", ["valid", "deactivated"], 1, "invalid"),
        ("pending", ["valid", "expired"], 1, "invalid"),
        ("pending", ["valid", None], 1, "invalid"),
        ("pending", ["valid"], 0, "invalid"),
        ("processing", ["valid"], 0, "processing"),
        ("valid", ["expired"], 0, "valid"),
        ("valid", [None], 0, "valid"),
        ("invalid", ["valid"], 1, "invalid"),
    ],
)
def test_an_order_is_what_its_authorizations_make_of_it(
    stored: str, authorizations: list[str | None], left: int, now: str
) -> None:
    """Its time over, it is invalid, unless it has its certificate."""
    statuses = [None if one is None else AuthorizationStatus(one) for one in authorizations]
    assert order_status(stored, statuses, expires_at=AT + left, at=AT) == now


def test_an_authorization_is_over_with_its_time() -> None:
    """A pending one has failed, a valid one has expired."""
    assert authorization_status("pending", expires_at=AT, at=AT) == "invalid"
    assert authorization_status("valid", expires_at=AT, at=AT) == "expired"
    assert authorization_status("valid", expires_at=AT + 1, at=AT) == "valid"


def test_only_the_attempted_challenge_has_a_fate() -> None:
    """The others stay pending for ever."""

    def status(
        authorization: str, at: int | None = None, kind: str = "dns-01", attempted: str | None = "dns-01"
    ) -> str:
        return challenge_status(kind, attempted=attempted, authorization=authorization, validated_at=at)

    assert [status(one) for one in ("pending", "invalid", "deactivated")] == ["processing", "invalid", "invalid"]
    assert [status(one, AT) for one in ("valid", "deactivated", "revoked")] == ["valid"] * 3
    assert status("valid", AT, kind="http-01") == "pending"
    assert status("pending", attempted=None) == "pending"


# ------------------------------------------------------------------------------------------------------ renewal


def test_a_certificate_has_the_name_of_the_rfc() -> None:
    """The example of RFC 9773 4.1, both ways."""
    text = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"
    name = CertificateName.parse(text)
    assert name.serial_number == 0x8765_4321
    assert str(name) == text


@pytest.mark.parametrize(
    "text", ["", ".", "a", "AAAA.", ".AAAA", "AA==.AA", "AAAA.gA", "AAAA.AA.AA", "A A.AA", "AAAA.AAE"]
)
def test_what_is_no_name_is_malformed(text: str) -> None:
    """Also a serial number that is negative in DER, or longer than it need be: of one there is one name."""
    assert kind_of(lambda: CertificateName.parse(text)) == "malformed"


def test_the_window_begins_when_a_third_is_left_and_is_over_for_a_revoked_one() -> None:
    """RFC 9773 4.2: in the past means now."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    end = begin + timedelta(days=90)
    first, last = window(begin, end, share_left=1 / 3, revoked_at=None)
    assert first == begin + timedelta(days=60)
    assert first < last < end
    _, last = window(begin, end, share_left=1 / 3, revoked_at=begin + timedelta(days=1))
    assert last <= begin + timedelta(days=1)


@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [
        (timedelta(days=90), 6 * 3_600),
        (timedelta(days=6), 6 * 3_600),
        (timedelta(days=1), 3_600),
        (timedelta(hours=6), 900),
        (timedelta(minutes=5), 60),
    ],
)
def test_a_short_lived_certificate_is_asked_about_more_often(lifetime: timedelta, seconds: int) -> None:
    """RFC 9773 4.3: six hours, as for others, are the whole life of one that lives for six."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    assert poll_seconds(begin, begin + lifetime) == seconds


# -------------------------------------------------------------------------------------------------------- reach


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.1", "169.254.169.254", "224.0.0.1", "255.255.255.255", "240.0.0.1",
        "::1", "::", "fe80::1", "ff02::1", "fd00:ec2::254", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::7f00:1", "2002:7f00:1::", "fec0::1", "64:ff9b:1::a00:1", "::7f00:1", "::ffff:0:a9fe:a9fe",
    ],
)  # fmt: skip
def test_addresses_that_validation_never_goes_to(text: str) -> None:
    """This machine, cloud metadata, multicast, also wrapped in IPv6."""
    assert refusal(ip_address(text), allowed=(), denied=()) is not None


@pytest.mark.parametrize(
    "text", ["10.0.0.1", "192.168.1.1", "172.16.0.1", "8.8.8.8", "fd00::1", "2001:db8::1", "100.64.0.1"]
)
def test_private_networks_are_the_normal_case(text: str) -> None:
    """Unless they are denied, or the address is the CA's own."""
    address = ip_address(text)
    assert refusal(address, allowed=(), denied=()) is None
    assert refusal(address, allowed=(), denied=(), own=True) is not None
    both = (ip_network("0.0.0.0/0"), ip_network("::/0"))
    assert refusal(address, allowed=both, denied=both) is not None


def test_what_is_allowed_is_not_allowed_by_a_wrapping() -> None:
    """A mapped address is reached only if it and the one inside are allowed."""
    loopback = ip_network("127.0.0.0/8")
    assert refusal(ip_address("127.0.0.1"), allowed=(loopback,), denied=(), own=True) is None
    assert refusal(ip_address("::ffff:127.0.0.1"), allowed=(loopback,), denied=()) is not None
    assert refusal(ip_address("::1"), allowed=(ip_network("::1/128"),), denied=(), own=True) is None
    wrapped = ip_network("::ffff:127.0.0.0/104")
    assert refusal(ip_address("::ffff:127.0.0.1"), allowed=(wrapped,), denied=()) is not None
    assert refusal(ip_address("::ffff:127.0.0.1"), allowed=(wrapped, loopback), denied=()) is None


@pytest.mark.parametrize(
    ("client", "origin"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "unknown"),
        ("", "unknown"),
    ],
)
def test_new_accounts_are_counted_by_what_one_host_has(client: str | None, origin: str) -> None:
    """An IPv6 address costs nothing: the network that a host is given does."""
    assert origin_of(client) == origin


@pytest.mark.parametrize("text", ["fd99::5%1", "fd99::5%25lo", "fe80::1%eth0", "::ffff:127.0.0.1%1", "127.0.0.1%1"])
def test_an_address_with_a_zone_is_none(text: str) -> None:
    """It would be equal to no address of this machine, and in no network, and be the same on the wire."""
    assert parse_address(text) is None
    assert parse_address(text.partition("%")[0]) is not None


def test_every_problem_type_has_the_status_of_a_client_error() -> None:
    """But for the one that says it was us."""
    assert {kind for kind, status in STATUS.items() if status >= 500} == {"serverInternal"}


# --------------------------------------------------------------------------------------------------------- URLs


@pytest.mark.parametrize(
    "identifier", ["", "a", "A" * 15, "A" * 17, "A" * 70_000, "A" * 15 + "/", "A" * 15 + "\n", "é" * 16]
)
def test_an_account_is_named_by_an_id_as_we_make_them(identifier: str) -> None:
    """A ``kid`` is read before any signature, so nothing is looked up by what never was an id."""
    urls, own = URLs("https://ca.test"), encode(bytes(OBJECT_BYTES))
    assert urls.account_id(urls.account(own)) == own
    assert urls.account_id(urls.account(identifier)) is None
    assert urls.account_id(own) is None
