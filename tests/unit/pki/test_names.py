"""Subject alternative names: what becomes a name, in which form, and every trick that does not."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from counterseal.errors import InputError
from counterseal.pki.names import check_name, dns_name, kind_of, parse_name, show_name
from counterseal.pki.subject import parse_subject

LABEL63 = "a" * 63
DNS253 = ".".join([LABEL63, LABEL63, LABEL63, "a" * 61])


def refusal(text: str) -> InputError:
    """Return the error with which ``text`` is refused."""
    with pytest.raises(InputError) as caught:
        parse_name(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("localhost", "DNS:localhost"),
        ("app-server", "DNS:app-server"),
        ("Server.Example.COM", "DNS:server.example.com"),
        ("server.example.com.", "DNS:server.example.com"),
        ("*.example.com", "DNS:*.example.com"),
        ("DNS:a.example", "DNS:a.example"),
        ("dns:a.example", "DNS:a.example"),
        ("1.example", "DNS:1.example"),
        ("4.3.2.1.example", "DNS:4.3.2.1.example"),
        ("r3---sn.example", "DNS:r3---sn.example"),
        (LABEL63 + ".example", f"DNS:{LABEL63}.example"),
        (DNS253, f"DNS:{DNS253}"),
        ("bücher.example", "DNS:xn--bcher-kva.example"),
        ("*.BÜCHER.example", "DNS:*.xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "DNS:xn--bcher-kva.example"),
        ("例え。テスト。", "DNS:xn--r8jz45g.xn--zckzah"),
        ("straße.example", "DNS:xn--strae-oqa.example"),
        ("10.0.0.1", "IP:10.0.0.1"),
        ("IP:10.0.0.1", "IP:10.0.0.1"),
        ("::1", "IP:::1"),
        ("[::1]", "IP:::1"),
        ("ip:2001:DB8:0::1", "IP:2001:db8::1"),
        ("ops@Example.org", "email:ops@example.org"),
        ("Ops.Team+x=y@example.org", "email:Ops.Team+x=y@example.org"),
        ("email:root@localhost", "email:root@localhost"),
        ("ops@bücher.example", "email:ops@xn--bcher-kva.example"),
        ("spiffe://example.org/ns/a_b/sa/c", "URI:spiffe://example.org/ns/a_b/sa/c"),
        ("spiffe://trust_domain.1", "URI:spiffe://trust_domain.1"),
        ("URI:https://example.org:8443/a%20b?c=d&e=f#g", "URI:https://example.org:8443/a%20b?c=d&e=f#g"),
        ("https://Example.org/a%C3%A9%2Fb", "URI:https://Example.org/a%C3%A9%2Fb"),
        ("https://10.0.0.1/", "URI:https://10.0.0.1/"),
        ("https://[2001:db8::1]:443", "URI:https://[2001:db8::1]:443"),
        ("urn:uuid:F81d4fae-7dec-11d0-a765-00a0c91e6bf6", "URI:urn:uuid:F81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
        ("URI:urn:ietf:params:oauth:client-id:x", "URI:urn:ietf:params:oauth:client-id:x"),
        ("URN:dev:mac:0024befffe804ff1", "URI:URN:dev:mac:0024befffe804ff1"),
        ("urn:MY-PC:UA%20Server/a@b", "URI:urn:MY-PC:UA%20Server/a@b"),
        ("tag:ops@example.com,2026-11-27:pump/7?a=b", "URI:tag:ops@example.com,2026-11-27:pump/7?a=b"),
        ("URI:tag:example.com,2026:", "URI:tag:example.com,2026:"),
    ],
)
def test_what_becomes_a_name(text: str, shown: str) -> None:
    """Each kind in its one form; what is shown is read back as the same name."""
    assert show_name(parse_name(text)) == shown
    assert parse_name(shown) == parse_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a..example",
        ".example",
        "a.example..",
        "-a.example",
        "a-.example",
        "a_b.example",
        "a b",
        LABEL63 + "a.example",
        DNS253 + "a",
        "ä" * 300,
        "*",
        "*.",
        "a*.example",
        "*.*.example",
        "a.*.example",
        "**.example",
        "a,b.example",
        "a,DNS:b.example",
        "DNS:a.example,IP:10.0.0.1",
        "a.example\n",
        "a\x00.example",
        "a\x1b[2J.example",
        "a\u202e.example",
        "a\udcff.example",
        "a.example/path",
        "example.com:8443",
        "DNS:10.0.0.1",
        "DNS:*.1",
        "example.0x7f",
        "123",
        "１.２.３.４",  # noqa: RUF001 - fullwidth digits, which IDNA maps to an address
        "℀.example",  # IDNA maps it to a/c
        "a⒈example",  # and this to "1."
        "xn--.example",
        "xn--a.example",
        "xn--bcher-kvaa\u0301.example",
        "xn--99999999999.example",
        "☃.example",
        "\u200dexample",
    ],
)
def test_what_is_no_dns_name(text: str) -> None:
    """No second name, no port, no address and nothing invisible hides in a DNS name."""
    error = refusal(text)
    assert error.code == "name.dns"
    assert error.message.isprintable()


def test_a_name_that_looks_alike_is_shown_as_another() -> None:
    """A Cyrillic letter makes an A-label that nobody takes for the Latin name; a wide letter is the Latin one."""
    assert dns_name("ex\u0430mple.org").value == "xn--exmple-4nf.org"
    assert dns_name("ＥＸＡＭＰＬＥ．org").value == "example.org"  # noqa: RUF001 - fullwidth on purpose


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("10.0.0.256", "name.ip"),
        ("010.0.0.1", "name.ip"),
        ("10.0.0", "name.ip"),
        ("10.0.0.0/8", "name.ip"),
        ("IP:10.0.0.0/8", "name.ip"),
        ("2001:db8::/32", "name.ip"),
        ("fe80::1%eth0", "name.ip"),
        ("IP:[10.0.0.1]", "name.ip"),
        ("IP:]::1[", "name.ip"),
        ("IP:localhost", "name.ip"),
        ("IP:", "name.ip"),
        ("IP:167772161", "name.ip"),
        ("@example.org", "name.email"),
        ("ops@", "name.dns"),
        ("ops@*.example.org", "name.email"),
        ("Ops <ops@example.org>", "name.email"),
        ('"a b"@example.org', "name.email"),
        ("a@b@example.org", "name.email"),
        ("a,b@example.org", "name.email"),
        (".a@example.org", "name.email"),
        ("mailto:a@example.org", "name.email"),
        ("a\n@example.org", "name.email"),
        ("é@example.org", "name.email"),
        ("a" * 65 + "@example.org", "name.email"),
        ("a" * 64 + "@" + DNS253, "name.email"),
        ("a@[10.0.0.1]", "name.dns"),
    ],
)
def test_what_is_no_address_and_no_mailbox(text: str, code: str) -> None:
    """Networks, zones, odd spellings of addresses, display names, quoted and over-long local parts."""
    error = refusal(text)
    assert error.code == code
    assert error.message.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "a,URI:spiffe://x",
        "spiffe://x/a,URI:spiffe://y",
        "URI:example.org",
        "URI:/path",
        "URI:urn:uuid:1",
        "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6x",
        "urn:x:a",
        "urn:plc.example.com:NodeOPCUA-Server",
        "urn:-x:a",
        "urn:example:",
        "urn:example:/a",
        "urn:example:a,URI:spiffe://x",
        "urn:example:a b",
        "urn:example:a'",
        "urn:example:a\n",
        "urn:example:a?=b",
        "urn:example:a#b",
        "urn:example:%41",
        "urn:example:%0a",
        "urn:example:" + "a" * 2048,
        "urn:\u017fx:y",
        "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6\u212a",
        "tag:example.com:x",
        "tag:example.com,26:x",
        "tag:example.com,2026,DNS:x",
        "tag:example.com,2026:a,DNS:b",
        "tag:-example.com,2026:a",
        "tag:example.com,2026:a#b",
        "tag:\u212a.com,2026:x",
        "tag:a@\u017f.com,2026:x",
        "URI:DNS:example.com",
        "URI:mailto:a@example.com",
        "URI:https:example.com",
        "https://",
        "https:///path",
        "https://:443/",
        "https://user@example.org/",
        "https://user:secret@example.org/",
        "https://example.org:65536/",
        "https://example.org:/",
        "https://example.org:x/",
        "https://ex%61mple.org/",
        "https://bücher.example/",
        "https://example.org./",
        "https://*.example.org/",
        "https://-a.example/",
        "https://10.0.0.256/",
        "https://[::1/",
        "https://[::g]/",
        "https://[]/",
        "https://example.org/a b",
        "https://example.org/'",
        'https://example.org/"',
        "https://example.org/<a>",
        "https://example.org/\n",
        "https://example.org/%",
        "https://example.org/%2",
        "https://example.org/%zz",
        "https://example.org/%00",
        "https://example.org/%0d%0aX",
        "https://example.org/%2C",
        "https://example.org/%2e%2e/",
        "https://example.org/%41",
        "https://example.org/" + "a" * 2048,
        "1https://example.org/",
        "spiffe://",
        "spiffe:///a",
        "spiffe://Example.org/a",
        "SPIFFE://example.org/a",
        "spiffe://example.org:80/a",
        "spiffe://example.org/",
        "spiffe://example.org//a",
        "spiffe://example.org/../a",
        "spiffe://example.org/a/.",
        "spiffe://example.org/a%20b",
        "spiffe://example.org/a?b",
        "spiffe://example.org/a#b",
        "spiffe://user@example.org/a",
        "spiffe://example.org/" + "a" * 2048,
    ],
)
def test_what_is_no_uri(text: str) -> None:
    """No relative reference, user, separator or quote; nothing encoded that could be written plainly."""
    error = refusal(text)
    assert error.code == "name.uri"
    assert error.message.isprintable()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (x509.DNSName("A.Example."), "DNS:a.example"),
        (x509.IPAddress(ip_address("::1")), "IP:::1"),
        (x509.RFC822Name("a@EXAMPLE.org"), "email:a@example.org"),
        (x509.UniformResourceIdentifier("https://example.org"), "URI:https://example.org"),
    ],
)
def test_a_foreign_name_is_brought_into_its_one_form(name: x509.GeneralName, shown: str) -> None:
    """check_name answers with what parse_name would have made."""
    assert show_name(check_name(name)) == shown


@pytest.mark.parametrize(
    ("name", "code", "kind"),
    [
        (x509.DNSName("a,URI:spiffe://x"), "name.dns", "DNS"),
        (x509.DNSName("a\x1b[2J"), "name.dns", "DNS"),
        (x509.IPAddress(ip_network("10.0.0.0/8")), "name.ip", "IP"),
        (x509.RFC822Name("a b@example.org"), "name.email", "email"),
        (x509.UniformResourceIdentifier("http://["), "name.uri", "URI"),
        (x509.DirectoryName(parse_subject("CN=a")), "name.kind", "other"),
        (x509.RegisteredID(x509.ObjectIdentifier("1.2.3")), "name.kind", "other"),
        (x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x01a"), "name.kind", "other"),
    ],
)
def test_a_foreign_name_is_refused(name: x509.GeneralName, code: str, kind: str) -> None:
    """Names out of a CSR are judged as strictly as typed ones; the kinds we never issue have no syntax here."""
    assert kind_of(name) == kind
    with pytest.raises(InputError) as caught:
        check_name(name)
    assert caught.value.code == code
    assert show_name(name).isprintable()


def test_names_we_never_issue_are_shown() -> None:
    """Their kind and what identifies them, control characters escaped."""
    assert show_name(x509.DirectoryName(x509.Name(parse_subject("CN=a,O=b").rdns))) == "DN:CN=a,O=b"
    assert show_name(x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))) == "RID:1.2.3"
    assert show_name(x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\x00")) == "other:1.2.3"
    assert show_name(x509.DNSName("a\nb")) == r"DNS:a\0Ab"


LABELS = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True).filter(lambda label: label[:4] != "xn--")
HOSTS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
NAMES = st.one_of(
    HOSTS,
    HOSTS.map("*.{}".format),
    st.ip_addresses().map(str).filter(lambda address: "%" not in address),
    st.tuples(st.from_regex(r"[A-Za-z0-9!#$%&*+/=?^_`{|}~-]{1,8}", fullmatch=True), HOSTS).map("@".join),
    st.tuples(HOSTS, st.from_regex(r"(/[A-Za-z0-9._~!$&()*+;=:@-]{0,6}){0,3}", fullmatch=True)).map(
        lambda parts: f"https://{parts[0]}{parts[1]}"
    ),
)


@given(NAMES)
def test_a_shown_name_is_read_back(text: str) -> None:
    """parse_name(show_name(name)) is the name, and check_name leaves it alone."""
    name = parse_name(text)
    assert parse_name(show_name(name)) == name == check_name(name)


@given(st.text(st.sampled_from("a.:/@*%[]-,1 xn0é。") | st.characters(), max_size=30))
def test_any_text_is_a_name_in_its_one_form_or_an_input_error(text: str) -> None:
    """No other exception leaves the parser; what comes out can be encoded and is read back."""
    with suppress(InputError):
        name = parse_name(text)
        assert parse_name(show_name(name)) == name
        assert x509.SubjectAlternativeName([name]).public_bytes()
