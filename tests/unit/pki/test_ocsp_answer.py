"""The octets of an answer are the library's for one certificate; for several the library reads each out of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from hypothesis import example, given
from hypothesis import strategies as st

from counterseal.keystore.software import SoftwareSigner
from counterseal.pki.crl import RevocationReason
from counterseal.pki.ocsp import HASHES, Asked, CertificateStatus
from counterseal.pki.ocsp_answer import answer
from pki_fixtures import make_ca, make_client

CA = make_ca("OCSP CA")
KEY = ec.generate_private_key(ec.SECP256R1())
RESPONDER = make_client(CA, "responder", key=KEY).certificate
NOW = datetime.now(UTC).replace(microsecond=0)
UNKNOWN, GOOD = CertificateStatus(known=False), CertificateStatus(known=True)
REVOKED = [CertificateStatus(known=True, revoked_at=NOW, reason=reason) for reason in RevocationReason]
WORDS = ocsp.OCSPCertStatus


def asked(hash_name: str = "sha256", serial_number: int = 1 << 127, nonce: bytes | None = None) -> Asked:
    """Return what a request could ask."""
    size = HASHES[hash_name].digest_size
    return Asked(hash_name, b"n" * size, b"k" * size, serial_number, nonce)


def made(*answered: tuple[Asked, CertificateStatus]) -> ocsp.OCSPResponse:
    """Return our answer, as the library reads it; its signature is good."""
    until = NOW + timedelta(hours=12)
    content = answer(answered, RESPONDER, SoftwareSigner(KEY), this_update=NOW, next_update=until)
    response = ocsp.load_der_ocsp_response(content)
    KEY.public_key().verify(response.signature, response.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))
    assert (response.produced_at_utc, response.certificates) == (NOW, [RESPONDER])
    return response


def built(one: Asked, status: CertificateStatus) -> ocsp.OCSPResponse:
    """Return the library's answer."""
    word = WORDS.UNKNOWN if not status.known else WORDS.REVOKED if status.revoked_at else WORDS.GOOD
    given = status.reason not in {None, RevocationReason.UNSPECIFIED}
    builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
        one.issuer_name_hash,
        one.issuer_key_hash,
        one.serial_number,
        HASHES[one.hash_name],
        word,
        NOW,
        NOW + timedelta(hours=12),
        status.revoked_at,
        x509.ReasonFlags[status.reason.value] if status.reason and given else None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, RESPONDER).certificates([RESPONDER])
    if one.nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(one.nonce), critical=False)
    return builder.sign(KEY, hashes.SHA256())


@pytest.mark.parametrize("status", [UNKNOWN, GOOD, *REVOKED], ids=lambda one: str(one.reason or one.known))
@pytest.mark.parametrize("nonce", [None, bytes(32)], ids=["", "nonce"])
@pytest.mark.parametrize("hash_name", HASHES)
def test_the_octets_are_the_librarys(hash_name: str, nonce: bytes | None, status: CertificateStatus) -> None:
    """But for the moment at which it was produced: the library asks the clock, we say when the status was read."""
    one = asked(hash_name, nonce=nonce)
    own, other = made((one, status)), built(one, status)
    produced = f"{other.produced_at_utc:%Y%m%d%H%M%SZ}".encode()
    expected = other.tbs_response_bytes.replace(produced, f"{NOW:%Y%m%d%H%M%SZ}".encode(), 1)
    assert own.tbs_response_bytes == expected


def test_several_certificates_in_one_answer() -> None:
    """Each with its own status, in the order in which they were asked, under one signature and one nonce."""
    statuses = [GOOD, REVOKED[1], UNKNOWN]
    response = made(*((asked(serial_number=number, nonce=b"n" * 16), one) for number, one in enumerate(statuses)))
    found = [(one.serial_number, one.certificate_status) for one in response.responses]
    assert found == [(0, WORDS.GOOD), (1, WORDS.REVOKED), (2, WORDS.UNKNOWN)]
    assert response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 16


@given(serial_number=st.integers(-(1 << 1600), 1 << 1600))
@example(serial_number=-1)
@example(serial_number=-128)
@example(serial_number=-129)
def test_any_serial_number_is_named_as_it_was_asked(serial_number: int) -> None:
    """A negative one too: no CA issues it, but whoever asks writes what he likes."""
    (single,) = made((asked(serial_number=serial_number), UNKNOWN)).responses
    assert single.serial_number == serial_number
