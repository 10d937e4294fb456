"""Extensions that the library refuses to read are told in words, by every reader of certificates."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from chains import root
from counterseal.handshake.explain.certificates import demands_stapling, show_certificate
from counterseal.pki.extensions import read_extensions
from counterseal.pki.path.candidate import Candidate
from pki_fixtures import make_ca, make_server, remade

TLS_FEATURE = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.24")


def test_a_tls_feature_that_the_library_does_not_know() -> None:
    """RFC 7633 takes the number of any TLS extension; the library knows two, and raises KeyError for others."""
    issuer = make_ca("Test CA")
    odd = x509.UnrecognizedExtension(TLS_FEATURE, b"\x30\x03\x02\x01\x63")
    certificate = remade(make_server(issuer, "a.test"), issuer, add=(odd,)).certificate
    assert read_extensions(certificate) == (None, "TLS feature 99 is unknown")
    candidate = Candidate(certificate)
    assert (candidate.extensions, candidate.unreadable) == ((), "TLS feature 99 is unknown")
    content = certificate.public_bytes(Encoding.DER)
    assert not demands_stapling(content)
    assert "CN=Test CA" in show_certificate(content)


def test_what_can_be_read_has_no_reason() -> None:
    """The extensions themselves."""
    certificate = root().certificate
    assert read_extensions(certificate) == (certificate.extensions, None)
