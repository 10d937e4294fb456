"""Who shows a certificate: only one of ours, as the inventory has it now, for the use that is asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from authority_fixtures import make_client, make_server, small_ca
from counterseal.authority.holder import holder_of
from counterseal.authority.revoke import revoke_record
from counterseal.authority.revoke_ca import revoke_ca
from counterseal.errors import CountersealError, RefusedError
from counterseal.keystore.software import SoftwareSigner
from counterseal.pki.crl import RevocationReason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from counterseal.authority.parts import Authority

DAY = timedelta(days=1)


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    """Give a small CA."""
    with small_ca(tmp_path) as authority:
        yield authority


def refusal(authority: Authority, content: bytes, **admission: object) -> str:
    """Return the code with which the certificate is refused."""
    with pytest.raises(CountersealError) as raised:
        holder_of(authority, content, **admission)  # type: ignore[arg-type] # as the test has them
    return raised.value.code


def later(authority: Authority, days: float) -> Authority:
    """Return the same CA so many days later."""
    return replace(authority, clock=lambda: authority.clock() + days * DAY)


def test_a_client_of_ours_is_known_until_it_ends(authority: Authority) -> None:
    """Then it is told so, unless a grace holds."""
    content = make_client(authority, lifetime=10 * DAY).record.certificate or b""
    assert (holder_of(authority, content).name, holder_of(authority, content).expired) == ("ann", False)
    assert refusal(later(authority, 11), content) == "peer.expired"
    assert holder_of(later(authority, 11), content, grace=2 * DAY).expired
    assert refusal(later(authority, 13), content, grace=2 * DAY) == "peer.expired"
    assert refusal(later(authority, -1), content) == "peer.not_yet_valid"


@pytest.mark.parametrize("reason", [RevocationReason.CERTIFICATE_HOLD, RevocationReason.KEY_COMPROMISE])
def test_a_revocation_counts_at_once(authority: Authority, reason: RevocationReason) -> None:
    """No list is needed for it."""
    issued = make_client(authority)
    content = issued.record.certificate or b""
    assert holder_of(authority, content).name == "ann"
    revoke_record(authority, issued.record, reason)
    assert refusal(authority, content) == "peer.revoked"


def test_who_shows_another_certificate_for_a_stolen_key_is_nobody(authority: Authority) -> None:
    """One that was renewed for the same key stands beside its successor, and whoever has the key could show either."""
    key = ec.generate_private_key(ec.SECP256R1())
    old, new, others = make_client(authority, key=key), make_client(authority, key=key), make_client(authority)
    contents = [one.record.certificate or b"" for one in (new, others)]
    revoke_record(authority, old.record, RevocationReason.SUPERSEDED)
    assert [holder_of(authority, one).name for one in contents] == ["ann", "ann"]
    stolen = make_client(authority, "bob", key=key)
    revoke_record(authority, stolen.record, RevocationReason.KEY_COMPROMISE)
    with pytest.raises(RefusedError, match="the key of the client certificate is compromised: ") as raised:
        holder_of(authority, contents[0])
    assert (raised.value.code, holder_of(authority, contents[1]).name) == ("peer.revoked", "ann")


def test_a_client_of_a_revoked_ca_is_refused(authority: Authority) -> None:
    """Whatever its own state."""
    content = make_client(authority).record.certificate or b""
    revoke_ca(authority, "clients", RevocationReason.KEY_COMPROMISE)
    assert refusal(authority, content) == "peer.revoked"


def test_a_server_is_no_client(authority: Authority) -> None:
    """It is one only for who asks for no use in particular."""
    content = make_server(authority).record.certificate or b""
    assert refusal(authority, content) == "peer.usage"
    assert holder_of(authority, content, usage=None).name == "a.test"


def test_what_we_did_not_issue_is_unknown(authority: Authority) -> None:
    """Also with our issuer's name, a serial number of ours and every other octet alike but the key."""
    ours = make_client(authority).certificate
    assert refusal(authority, twin(ours, ec.generate_private_key(ec.SECP256R1()))) == "peer.unknown"
    root = authority.store.ca("root").certificate
    assert refusal(authority, root) == "peer.unknown"
    of_version_15 = ours.public_bytes(Encoding.DER).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x0e", 1)
    assert refusal(authority, of_version_15) == "peer.malformed"
    assert refusal(authority, b"\x30\x00") == "peer.malformed"


def test_of_an_imported_one_the_signature_decides(authority: Authority) -> None:
    """Where a CA was taken over, all that is known may be a serial number; where more is known, it must be that."""
    ours = make_client(authority).certificate
    signer = authority.keystore.signer(authority.store.ca("clients").key_id)
    assert isinstance(signer, SoftwareSigner)
    signed, forged = (twin(ours, key) for key in (signer._private_key, ec.generate_private_key(ec.SECP256R1())))
    assert refusal(authority, signed) == "peer.unknown"
    authority.store.run("update certificate set der = null where name = 'ann'")
    assert holder_of(authority, signed).name == "ann"
    assert refusal(authority, forged) == "peer.unknown"


def twin(certificate: x509.Certificate, signing: CertificateIssuerPrivateKeyTypes) -> bytes:
    """Return a certificate that says the same, for another key."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    names, number = (certificate.issuer, certificate.subject), certificate.serial_number
    builder = x509.CertificateBuilder(*names, key, number, begin, end, list(certificate.extensions))
    return builder.sign(signing, hashes.SHA256()).public_bytes(Encoding.DER)


def test_a_ca_that_has_ended_has_no_clients(authority: Authority) -> None:
    """Whatever grace their own certificates have."""
    content = make_client(authority).record.certificate or b""
    left = authority.issuer("clients").certificate.not_valid_after_utc - authority.clock()
    at_its_end, after = (later(authority, (left + timedelta(seconds=more)) / DAY) for more in (0, 1))
    assert holder_of(at_its_end, content, grace=10_000 * DAY).expired
    with pytest.raises(RefusedError, match="the CA of the client certificate has ended"):
        holder_of(after, content, grace=10_000 * DAY)


def test_one_holder_whatever_the_certificate(authority: Authority) -> None:
    """A second certificate of the same name and subject is the same one's; of another subject or CA it is not."""
    first, second, other = (make_client(authority, name) for name in ("ann", "ann", "bob"))
    shown = [holder_of(authority, one.certificate.public_bytes(Encoding.DER)) for one in (first, second, other)]
    assert shown[0].identity == shown[1].identity
    record = shown[0].record
    others = (record._replace(issuer="devices"), record._replace(subject="CN=ann,OU=admins"), shown[2].record)
    assert shown[0].identity not in {replace(shown[0], record=one).identity for one in others}
