"""Every extension has words, and whatever has none is shown by its number and its bytes."""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, ObjectIdentifier

from counterseal.pki import der
from counterseal.pki.describe.certificate import Validity, describe_certificate
from counterseal.pki.describe.extensions import describe_extensions
from counterseal.pki.describe.key import strength_of
from pki_fixtures import CERTIFICATE_CREATED, CERTIFICATE_EXPIRES, WHILE_VALID, key_of, pki

PKI = pki()
URI = x509.UniformResourceIdentifier
CA_NAME = x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA")]))


def _with(extension: x509.ExtensionType, *, critical: bool = False) -> x509.Certificate:
    builder = x509.CertificateBuilder().subject_name(PKI.server.certificate.subject)
    builder = builder.issuer_name(PKI.server_ca.certificate.subject).public_key(PKI.server.private_key.public_key())
    builder = builder.serial_number(1 << 100).not_valid_before(CERTIFICATE_CREATED).not_valid_after(CERTIFICATE_EXPIRES)
    return builder.add_extension(extension, critical).sign(PKI.server_ca.private_key, hashes.SHA256())


@pytest.mark.parametrize(
    ("extension", "name", "lines"),
    [
        (x509.BasicConstraints(False, None), "basicConstraints", ["no CA"]),
        (x509.BasicConstraints(True, None), "basicConstraints", ["a CA, with any number of CAs below it"]),
        (x509.BasicConstraints(True, 0), "basicConstraints", ["a CA, with no CA below it"]),
        (x509.BasicConstraints(True, 2), "basicConstraints", ["a CA, with at most 2 below it"]),
        (
            x509.KeyUsage(True, False, False, False, True, False, False, True, False),
            "keyUsage",
            ["digitalSignature, keyAgreement, encipherOnly"],
        ),
        (
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ObjectIdentifier("1.2.3.4")]),
            "extendedKeyUsage",
            ["clientAuth (TLS client)", "1.2.3.4"],
        ),
        (
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("a.example"),
                    x509.IPAddress(ip_address("::1")),
                    x509.OtherName(ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x03a@b"),
                    x509.OtherName(ObjectIdentifier("1.2.3"), b"\x05\x00"),
                    CA_NAME,
                ]
            ),
            "subjectAltName",
            [
                "DNS:a.example",
                "IP:::1",
                'other:Microsoft user principal name (1.3.6.1.4.1.311.20.2.3) "a@b"',
                "other:1.2.3 0500",
                "DN:CN=CA",
            ],
        ),
        (x509.SubjectKeyIdentifier(b"\x01\x02"), "subjectKeyIdentifier", ["0102"]),
        (
            x509.AuthorityKeyIdentifier(b"\x01", [CA_NAME], 10),
            "authorityKeyIdentifier",
            ["01", "issuer DN:CN=CA", "serial number 0A"],
        ),
        (
            x509.NameConstraints([x509.DNSName("example")], [x509.IPAddress(ip_network("10.0.0.0/8"))]),
            "nameConstraints",
            ["permitted DNS:example", "excluded IP:10.0.0.0/8"],
        ),
        (
            x509.AuthorityInformationAccess(
                [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, URI("http://o/"))]
            ),
            "authorityInfoAccess",
            ["OCSP URI:http://o/"],
        ),
        (
            x509.CRLDistributionPoints(
                [
                    x509.DistributionPoint(
                        [URI("http://c/")], None, frozenset([x509.ReasonFlags.key_compromise]), [CA_NAME]
                    )
                ]
            ),
            "cRLDistributionPoints",
            ["URI:http://c/, issued by DN:CN=CA, only keyCompromise"],
        ),
        (
            x509.CertificatePolicies(
                [
                    x509.PolicyInformation(ObjectIdentifier("2.23.140.1.2.1"), ["https://cps/"]),
                    x509.PolicyInformation(ObjectIdentifier("1.2.3"), [x509.UserNotice(None, "read\x07me")]),
                ]
            ),
            "certificatePolicies",
            [
                "CA/Browser Forum: domain validated (2.23.140.1.2.1)",
                "  practice statement https://cps/",
                "1.2.3",
                '  notice "read\\07me"',
            ],
        ),
        (
            x509.PolicyConstraints(0, 1),
            "policyConstraints",
            ["an explicit policy is required after 0 certificates", "policy mapping is inhibited after 1 certificates"],
        ),
        (x509.InhibitAnyPolicy(3), "inhibitAnyPolicy", ["anyPolicy does not count after 3 certificates"]),
        (x509.PrecertPoison(), "ctPoison", ["a precertificate: no client accepts it"]),
        (x509.OCSPNoCheck(), "OCSPNoCheck", ["this certificate's own revocation is not checked"]),
        (
            x509.TLSFeature([x509.TLSFeatureType.status_request]),
            "TLSFeature",
            [
                "status_request: the server must staple an OCSP response (must-staple); Firefox refuses it without",
                "nginx needs ssl_stapling on, the issuer in ssl_certificate, a resolver, and a responder's URL here",
            ],
        ),
        (
            x509.PrivateKeyUsagePeriod(datetime(2026, 1, 2), None),  # noqa: DTZ001 - the library takes naive ones as UTC
            "privateKeyUsagePeriod",
            ["from 2026-01-02 00:00 UTC"],
        ),
        (
            x509.MSCertificateTemplate(ObjectIdentifier("1.2.3"), 100, 4),
            "Microsoft certificate template",
            ["1.2.3, version 100.4"],
        ),
    ],
)
def test_known_extensions_in_words(extension: x509.ExtensionType, name: str, lines: list[str]) -> None:
    """RFC 5280's name, the criticality, and a line for each value; control characters never reach the terminal."""
    (facts,) = describe_extensions(_with(extension, critical=True).extensions)
    assert (facts.name, facts.critical, list(facts.value), facts.der) == (name, True, lines, None)


@pytest.mark.parametrize(
    ("oid", "content", "name", "lines"),
    [
        ("1.3.9999.1", b"\x04\x02\xff\x00", "1.3.9999.1", ["4 bytes"]),
        ("2.16.840.1.113730.1.13", b"\x16\x02hi", "Netscape comment", ['"hi"']),
        ("1.3.9999.2", b"\x1e\x04\x00h\x00i", "1.3.9999.2", ['"hi"']),
        ("1.3.9999.3", b"", "1.3.9999.3", ["0 bytes"]),
    ],
)
def test_unknown_extensions_by_number_and_bytes(oid: str, content: bytes, name: str, lines: list[str]) -> None:
    """A string is shown as text; the bytes are told in every case."""
    (facts,) = describe_extensions(_with(x509.UnrecognizedExtension(ObjectIdentifier(oid), content)).extensions)
    assert (facts.name, list(facts.value), facts.der) == (name, lines, content.hex())


def test_extensions_that_cannot_be_read_are_shown_by_their_bytes() -> None:
    """A subject alternative name of garbage makes the library refuse them all; they are shown all the same."""
    garbage = x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.17"), b"\x30\x03\x82\x05a")
    facts = describe_certificate(_with(garbage, critical=True), at=WHILE_VALID)
    assert facts.extensions_problem
    assert [(one.name, one.critical, one.der) for one in facts.extensions] == [("subjectAltName", True, "3003820561")]


def test_a_certificate_in_words() -> None:
    """What it is, for what, until when, and the fingerprints that others show."""
    facts = describe_certificate(PKI.client.certificate, at=WHILE_VALID)
    assert facts.title == "client certificate for client.device"
    assert facts.purpose == "may be a TLS client; may not serve"
    assert facts.validity is Validity.VALID
    assert facts.sha1 == PKI.client.certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303 - as nginx shows it
    assert facts.sha256 == PKI.client.certificate.fingerprint(hashes.SHA256()).hex()
    assert (facts.key.kind, facts.key.strength) == ("ECDSA P-256", 128)
    assert (
        describe_certificate(PKI.client.certificate, at=CERTIFICATE_CREATED.replace(year=2020)).validity
        is Validity.NOT_YET_VALID
    )
    assert (
        describe_certificate(PKI.client.certificate, at=CERTIFICATE_EXPIRES.replace(year=2041)).validity
        is Validity.EXPIRED
    )


@pytest.mark.parametrize(("kind", "strength"), [("rsa-2048", 112), ("p-384", 192), ("p-521", 256), ("ed25519", 128)])
def test_strengths(kind: str, strength: int) -> None:
    """In bits, as NIST counts them."""
    assert strength_of(key_of(kind).public_key()) == strength


def test_signed_certificate_timestamps() -> None:
    """Which log saw the certificate, and when (RFC 6962 3.3); the library reads them, nobody here makes them."""
    timestamp = b"\x00" + bytes(range(32)) + (1_767_225_600_000).to_bytes(8, "big") + b"\x00\x00" + b"\x04\x03\x00\x00"
    entries = len(timestamp).to_bytes(2, "big") + timestamp
    content = der.octet_string(len(entries).to_bytes(2, "big") + entries)
    raw = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2"), content)
    read = x509.load_der_x509_certificate(_with(raw).public_bytes(Encoding.DER))
    (facts,) = describe_extensions(read.extensions)
    assert list(facts.value) == [f"log {bytes(range(32)).hex()} at 2026-01-01 00:00:00 UTC"]
