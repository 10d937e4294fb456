"""How values are read in the messages of checks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from chains import usage
from counterseal.pki.keys import KeySpec
from counterseal.pki.path.catalogue import NAME
from counterseal.pki.path.check import failed
from counterseal.pki.path.words import in_words

MANY = tuple(x509.DNSName(f"{letter}.example") for letter in "abcdefg")
PERSON = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")]))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (datetime(2026, 6, 1, 12, 30, 59, tzinfo=UTC), "2026-06-01 12:30 UTC"),
        (timedelta(days=89, hours=23), "89d 23h"),
        (bytes(range(8)), "0001020304050607"),
        (bytes(20), "0000000000000000..."),
        (None, "(none)"),
        (x509.IPAddress(ip_address("192.0.2.7")), "IP:192.0.2.7"),
        (PERSON, "DN:CN=x"),
        (MANY[:2], "DNS:a.example, DNS:b.example"),
        (MANY, "DNS:a.example, DNS:b.example, DNS:c.example, DNS:d.example, DNS:e.example and 2 more"),
        ((), "none"),
        (KeySpec("rsa", 2048), "RSA 2048"),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ObjectIdentifier("1.2.3")]), "clientAuth, 1.2.3"),
        (usage("digital_signature", "crl_sign"), "digitalSignature, cRLSign"),
        (usage(), "nothing"),
        (7, 7),
    ],
)
def test_a_value_reads_as_people_write_it(value: object, shown: object) -> None:
    """Each kind by itself."""
    assert in_words(value) == shown


def test_braces_in_a_value_are_left_alone() -> None:
    """Names come from strangers, and are never the text that values are put into."""
    foreign = x509.DNSName("{0.__class__}")
    assert failed(NAME, 0, "{} is none of: {}", foreign, "{}").message == "DNS:{0.__class__} is none of: {}"
