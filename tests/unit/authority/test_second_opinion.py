"""pkilint's findings in our words; what it holds against private names is left out."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.authority.second_opinion import MOST_BYTES, is_installed, second_opinion
from counterseal.findings import Severity
from counterseal.pki.shape import Kind
from lint_samples import Sample
from pki_fixtures import CERTIFICATE_CREATED, CERTIFICATE_EXPIRES, pki


def _said(certificate: x509.Certificate) -> list[tuple[str, Severity]]:
    content = certificate.public_bytes(Encoding.DER)
    return [(finding.code, finding.severity) for finding in second_opinion(Kind.CERTIFICATE, content)]


def test_what_it_finds_is_told_in_our_severities() -> None:
    """An authority key identifier that is missing is an error to it; a good certificate is none."""
    assert is_installed()
    assert _said(Sample().made()) == []
    without = Sample(changed={x509.AuthorityKeyIdentifier: None}).made()
    assert ("pkilint.pkix.authority_key_identifier_extension_absent", Severity.HIGH) in _said(without)


def test_private_names_are_no_fault() -> None:
    """It takes localhost for no domain name."""
    assert _said(Sample(names=(x509.DNSName("localhost"), x509.DNSName("a.example"))).made()) == []


def test_lists_and_garbage() -> None:
    """A list without a number is faulty; what pkilint cannot read, or not in time, is told; it judges no requests."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(pki().root.certificate.subject)
    builder = builder.last_update(CERTIFICATE_CREATED).next_update(CERTIFICATE_EXPIRES)
    content = builder.sign(pki().root.private_key, hashes.SHA256()).public_bytes(Encoding.DER)
    assert any(finding.severity >= Severity.HIGH for finding in second_opinion(Kind.CRL, content))
    assert [finding.code for finding in second_opinion(Kind.CRL, b"\x30\x00")] == ["pkilint.unreadable"]
    assert [finding.code for finding in second_opinion(Kind.CRL, bytes(MOST_BYTES + 1))] == ["pkilint.skipped"]
    assert second_opinion(Kind.CSR, content) == ()
