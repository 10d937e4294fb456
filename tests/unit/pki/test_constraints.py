"""Name constraints: how they are written, and which names lie outside."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Network

import pytest
from cryptography import x509

from counterseal.errors import InputError
from counterseal.pki.constraints import common_name_as_dns, constrain, free_kinds, subject_names, violated_by
from counterseal.pki.names import parse_name, show_name
from counterseal.pki.subject import parse_subject


def constraint(permitted: str | x509.GeneralName = "", excluded: str | x509.GeneralName = "") -> x509.NameConstraints:
    """Return a constraint of one permitted or excluded subtree; a string is a DNS domain."""
    subtrees = [
        [x509.DNSName(given) if isinstance(given, str) else given] if given else None for given in (permitted, excluded)
    ]
    return x509.NameConstraints(*subtrees)


def is_allowed(constraints: x509.NameConstraints, name: x509.GeneralName) -> bool:
    """Whether this one name may be certified."""
    return violated_by(constraints, [name]) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("example.com", x509.DNSName("example.com")),
        ("DNS:Example.com", x509.DNSName("example.com")),
        ("localhost", x509.DNSName("localhost")),
        ("10.0.0.0/8", x509.IPAddress(IPv4Network("10.0.0.0/8"))),
        ("IP:10.0.0.0/8", x509.IPAddress(IPv4Network("10.0.0.0/8"))),
        ("10.0.0.1", x509.IPAddress(IPv4Network("10.0.0.1/32"))),
        ("IP:10.0.0.1", x509.IPAddress(IPv4Network("10.0.0.1/32"))),
        ("2001:db8::/32", x509.IPAddress(IPv6Network("2001:db8::/32"))),
        ("::1", x509.IPAddress(IPv6Network("::1/128"))),
        ("ops@example.com", x509.RFC822Name("ops@example.com")),
        ("email:ops@example.com", x509.RFC822Name("ops@example.com")),
        ("email:example.com", x509.RFC822Name("example.com")),
        ("email:.example.com", x509.RFC822Name(".example.com")),
        ("URI:example.com", x509.UniformResourceIdentifier("example.com")),
        ("uri:.example.com", x509.UniformResourceIdentifier(".example.com")),
    ],
)
def test_how_a_constraint_is_written(text: str, expected: x509.GeneralName) -> None:
    """Domains, networks and single addresses, mailboxes, and the hosts of mail and URIs."""
    constraints = constrain([text])
    assert constraints is not None
    assert constraints.permitted_subtrees == [expected]
    assert constraints.excluded_subtrees is None
    assert constraints.public_bytes()


@pytest.mark.parametrize(
    ("permitted", "free"),
    [
        (
            ("a.example",),
            {"IP:192.0.2.1": "IP addresses", "email:eve@b.example": "mailboxes", "URI:https://b.test/": "URIs"},
        ),
        (("10.0.0.0/8", "email:a.example"), {"DNS:b.example": "DNS names", "URI:https://b.test/": "URIs"}),
        (("a.example", "10.0.0.0/8", "email:a.example", "URI:a.example"), {}),
    ],
)
def test_a_kind_of_which_nothing_is_permitted_is_free(permitted: tuple[str, ...], free: dict[str, str]) -> None:
    """And is told as such: whoever permits a domain does not think of addresses."""
    constraints = constrain(permitted)
    assert constraints is not None
    assert free_kinds(constraints) == tuple(free.values())
    assert violated_by(constraints, [parse_name(text) for text in free]) == ()


def test_nothing_permitted_is_no_constraint() -> None:
    """Without a word the CA is not constrained."""
    assert constrain([]) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("*.example.com", "constraint.domain"),
        (".example.com", "constraint.domain"),
        ("DNS:.example.com", "constraint.domain"),
        ("https://example.com", "constraint.kind"),
        ("10.0.0.1/8", "constraint.network"),
        ("10.0.0.0/33", "constraint.network"),
        ("IP:example.com", "constraint.network"),
        ("example.com/24", "constraint.network"),
        ("", "name.dns"),
        ("a b", "name.dns"),
        ("URI:a b", "name.dns"),
        ("email:", "name.dns"),
    ],
)
def test_what_is_no_constraint(text: str, code: str) -> None:
    """A pattern, a URL or a network with host bits is refused and not widened."""
    with pytest.raises(InputError) as caught:
        constrain([text])
    assert caught.value.code == code


def test_host_bits_are_answered_with_the_network() -> None:
    """The hint names the network that was probably meant."""
    with pytest.raises(InputError) as caught:
        constrain(["10.1.2.3/8"])
    assert caught.value.hint == "the network of this address is 10.0.0.0/8"


@pytest.mark.parametrize(
    ("permitted", "name", "allowed"),
    [
        ("example.com", "DNS:example.com", True),
        ("example.com", "DNS:a.b.example.com", True),
        ("example.com", "DNS:*.example.com", True),
        ("example.com", "DNS:example.com.evil", False),
        ("example.com", "DNS:notexample.com", False),
        ("a.example.com", "DNS:*.example.com", False),
        ("example.com", "IP:10.0.0.1", True),
        ("10.0.0.0/8", "IP:10.1.2.3", True),
        ("10.0.0.0/8", "IP:11.0.0.1", False),
        ("10.0.0.0/8", "IP:::1", False),
        ("::/0", "IP:10.0.0.1", False),
        ("10.0.0.0/8", "DNS:a.example", True),
        ("email:example.com", "email:a@example.com", True),
        ("email:example.com", "email:a@b.example.com", False),
        ("email:.example.com", "email:a@b.example.com", True),
        ("email:.example.com", "email:a@example.com", False),
        ("a@example.com", "email:a@example.com", True),
        ("a@example.com", "email:A@example.com", False),
        ("a@example.com", "email:b@example.com", False),
        ("URI:example.com", "spiffe://example.com/a", True),
        ("URI:example.com", "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", False),
        ("example.com", "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", True),
        ("URI:example.com", "https://example.com:8443/", True),
        ("URI:example.com", "https://a.example.com/", False),
        ("URI:.example.com", "https://a.example.com/", True),
    ],
)
def test_what_a_constraint_permits(permitted: str, name: str, *, allowed: bool) -> None:
    """Only names of the constrained kind are restricted, and each kind has its own rule."""
    constraints = constrain([permitted])
    assert constraints is not None
    assert is_allowed(constraints, parse_name(name)) is allowed


@pytest.mark.parametrize(
    ("excluded", "name", "allowed"),
    [
        ("example.com", "DNS:a.example.com", False),
        ("example.com", "DNS:A.EXAMPLE.COM", False),
        ("secret.example.com", "DNS:*.example.com", False),
        ("secret.example.com", "DNS:*.secret.example.com", False),
        ("secret.example.com", "DNS:*.example.org", True),
        ("example.com", "DNS:example.org", True),
    ],
)
def test_what_an_exclusion_forbids(excluded: str, name: str, *, allowed: bool) -> None:
    """A wildcard that stands for an excluded name is forbidden as well."""
    assert is_allowed(constraint(excluded=excluded), x509.DNSName(name.removeprefix("DNS:"))) is allowed


def test_foreign_constraints_keep_openssl_s_meaning() -> None:
    """A leading dot in a DNS constraint leaves the domain itself out; an empty one permits every name."""
    assert is_allowed(constraint(".example.com"), x509.DNSName("a.example.com"))
    assert is_allowed(constraint(".example.com"), x509.DNSName("*.example.com"))
    assert not is_allowed(constraint(".example.com"), x509.DNSName("example.com"))
    assert is_allowed(constraint(x509.DNSName("")), x509.DNSName("example.com"))
    assert is_allowed(constraint("example.com", "a.example.com"), x509.DNSName("b.example.com"))
    assert not is_allowed(constraint("example.com", "a.example.com"), x509.DNSName("a.example.com"))


def test_directory_names_differ_in_more_than_case_and_blanks() -> None:
    """A subtree is a beginning of the name, compared as RFC 5280 7.1 says."""
    constraints = constraint(x509.DirectoryName(parse_subject("/C=DE/O=Example  Org")))
    assert is_allowed(constraints, x509.DirectoryName(parse_subject("/C=de/O=example org /CN=a")))
    assert not is_allowed(constraints, x509.DirectoryName(parse_subject("/C=DE/O=Other/CN=a")))
    assert not is_allowed(constraints, x509.DirectoryName(parse_subject("/C=DE")))
    assert is_allowed(constraints, x509.DNSName("a.example"))


@pytest.mark.parametrize(
    ("subtree", "name"),
    [
        (x509.UniformResourceIdentifier("example.com"), x509.UniformResourceIdentifier("urn:uuid:1")),
        (x509.UniformResourceIdentifier("example.com"), x509.UniformResourceIdentifier("http://[")),
        (x509.RegisteredID(x509.ObjectIdentifier("1.2.3")), x509.RegisteredID(x509.ObjectIdentifier("1.2.4"))),
    ],
)
def test_a_name_that_cannot_be_compared_is_outside(subtree: x509.GeneralName, name: x509.GeneralName) -> None:
    """Permitted or excluded, a constraint on its kind forbids it; without one it is free."""
    assert not is_allowed(constraint(permitted=subtree), name)
    assert not is_allowed(constraint(excluded=subtree), name)
    assert is_allowed(constraint("example.com"), name)


def test_an_odd_mailbox_is_outside() -> None:
    """What has no host, or two, is compared with none."""
    constraints = constraint(x509.RFC822Name("example.com"))
    foreign = x509.RFC822Name("example.com")
    assert not is_allowed(constraints, foreign)


@pytest.mark.parametrize(
    ("subject", "names", "more"),
    [
        ("CN=client.device", [], ["DN:CN=client.device", "DNS:client.device"]),
        ("CN=client.device", ["email:a@b.example"], ["DN:CN=client.device", "DNS:client.device"]),
        ("CN=client.device", ["DNS:a.example"], ["DN:CN=client.device"]),
        ("CN=10.0.0.1", ["IP:10.0.0.1"], ["DN:CN=10.0.0.1", "DNS:10.0.0.1"]),
        ("CN=client", [], ["DN:CN=client"]),
        ("CN=-a.b", [], ["DN:CN=-a.b"]),
        ("CN=John Q. Public", [], ["DN:CN=John Q. Public"]),
        ("CN=a,emailAddress=a@b.example", [], ["DN:CN=a,emailAddress=a@b.example", "email:a@b.example"]),
        ("CN=a,emailAddress=nobody", [], ["DN:CN=a,emailAddress=nobody"]),
        ("", ["DNS:a.example"], []),
    ],
)
def test_names_in_the_subject_are_constrained_too(subject: str, names: list[str], more: list[str]) -> None:
    """The subject, its e-mail addresses, and a common name that OpenSSL takes for a DNS name."""
    given = [parse_name(name) for name in names]
    name = parse_subject(subject) if subject else x509.Name([])
    common = common_name_as_dns(name, given)
    assert [show_name(found) for found in (*subject_names(name), *([common] if common else ()))] == more


def test_the_address_of_a_constraint_is_a_network() -> None:
    """A single permitted address admits itself and nothing beside it."""
    constraints = constrain(["10.0.0.1"])
    assert constraints is not None
    assert is_allowed(constraints, x509.IPAddress(IPv4Address("10.0.0.1")))
    assert not is_allowed(constraints, x509.IPAddress(IPv4Address("10.0.0.2")))
