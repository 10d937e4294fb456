"""Every refusal of EST by its code, which the log has and the request's id leads to; the client has it in words."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from command import counterseal
from counterseal.pki.possession import prove_possession
from integration.serve.test_est import Device, enrolled, post, token
from service_process import Running, make_ca, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

DECRYPT_KEY_IDENTIFIER = x509.ObjectIdentifier("1.2.840.113549.1.9.16.2.37")


class Lab(NamedTuple):
    """A service, and a device that has a certificate for ``pump`` and ``pump.test``."""

    service: Running
    device: Device
    secret: str


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return it; the token has a use left."""
    base = tmp_path_factory.mktemp("refused")
    make_ca(base / "home")
    with running(base / "home") as service:
        yield Lab(service, enrolled(service, base / "d", "pump", "--san", "pump.test"), token(service, "next"))


def refused(lab: Lab, operation: str, body: bytes, status: int, **options: Any) -> str:  # noqa: ANN401 - of post
    """Ask, and return the code in the log of what must be refused with this status."""
    answered, said, headers = post(lab.service, operation, body, **options)
    assert (answered, headers["content-type"]) == (status, "text/plain; charset=utf-8"), said
    return str(lab.service.logged("request", request_id=headers["x-request-id"])["problem"])


def own(lab: Lab) -> bytes:
    """Return the request that renews the device's certificate."""
    return lab.device.request("pump", dns="pump.test")


def test_what_is_not_a_request(lab: Lab) -> None:
    """Of another type, not in base64, or empty."""
    typed = {"Content-Type": "text/plain"}
    assert refused(lab, "simpleenroll", own(lab), 415, secret=lab.secret, headers=typed) == "est.media_type"
    for body in (b"hello", b""):
        assert refused(lab, "simpleenroll", body, 400, secret=lab.secret) == "est.base64"


@pytest.mark.parametrize(
    ("extension", "status", "code"),
    [
        (x509.BasicConstraints(ca=True, path_length=None), 400, "est.extensions"),
        (x509.TLSFeature([x509.TLSFeatureType.status_request]), 403, "policy.refused"),
    ],
)
def test_what_no_certificate_here_gets(lab: Lab, extension: x509.ExtensionType, status: int, code: str) -> None:
    """A device that gets less than it asks for would not know; no client staples."""
    made = x509.CertificateSigningRequestBuilder(x509.Name([])).add_extension(extension, critical=True)
    body = base64.b64encode(made.sign(lab.device.key, hashes.SHA256()).public_bytes(Encoding.DER))
    for operation in ("simpleenroll", "serverkeygen"):
        assert refused(lab, operation, body, status, secret=lab.secret) == code


@pytest.mark.parametrize("shown", ["Digest x", "Basic x", "Basic /w=="])
def test_who_cannot_be_read(lab: Lab, shown: str) -> None:
    """Another scheme, or no text in base64: the answer says what is taken."""
    assert refused(lab, "simpleenroll", own(lab), 401, headers={"Authorization": shown}) == "est.authorization"


def test_what_is_another_than_the_certificate(lab: Lab) -> None:
    """No certificate, another profile, subject or name than it has (RFC 7030 4.2.2)."""
    device = lab.device
    assert refused(lab, "simplereenroll", own(lab), 403) == "est.no_certificate"
    assert refused(lab, "server/simplereenroll", own(lab), 403, device=device) == "est.label"
    other, unnamed = device.request("other", dns="pump.test"), device.request("pump")
    assert refused(lab, "simplereenroll", other, 403, device=device) == "est.other_subject"
    assert refused(lab, "simplereenroll", unnamed, 403, device=device) == "est.other_names"
    assert refused(lab, "nothing/simplereenroll", own(lab), 404, device=device) == "profile.unknown"


def test_what_a_connection_or_a_key_cannot_be_held_to(lab: Lab) -> None:
    """TLS 1.3 has no tls-unique (RFC 8446 C.5); a key is not sent with less protection than was asked for."""
    bound = lab.device.request("next", challenge=b"of another connection")
    assert refused(lab, "simpleenroll", bound, 400, secret=lab.secret) == "est.channel"
    builder = x509.CertificateSigningRequestBuilder(x509.Name([])).add_attribute(DECRYPT_KEY_IDENTIFIER, b"key")
    sealed = base64.b64encode(builder.sign(lab.device.key, hashes.SHA256()).public_bytes(Encoding.DER))
    assert refused(lab, "serverkeygen", sealed, 400, secret=lab.secret) == "est.key_encryption"


def test_a_proof_that_proves_something_else(lab: Lab) -> None:
    """Of another request, by another key, too old, or none at all."""
    device, body, at = lab.device, own(lab), int(time.time())
    certificate = x509.load_pem_x509_certificate((device.directory / "cert.pem").read_bytes())
    csr, other = base64.b64decode(body), base64.b64decode(own(lab))  # ECDSA never signs the same way twice
    proofs = {
        "possession.other_csr": prove_possession(device.key, certificate, other, at=at),
        "possession.signature": prove_possession(ec.generate_private_key(ec.SECP256R1()), certificate, csr, at=at),
        "possession.time": prove_possession(device.key, certificate, csr, at=at - 3600),
        "possession.malformed": "AAAA.BBBB.CCCC",
    }
    assert {code: refused(lab, "simplereenroll", body, 400, secret=proof) for code, proof in proofs.items()} == {
        code: code for code in proofs
    }


def test_a_key_that_somebody_else_has(lab: Lab, tmp_path: Path) -> None:
    """Not for a token, where another key would do; nor does another certificate of that key say who asks for one."""
    device = enrolled(lab.service, tmp_path / "d", "cracked")
    other = Device(tmp_path / "other", device.key)
    other.directory.mkdir()
    (other.directory / "key.pem").write_bytes((device.directory / "key.pem").read_bytes())
    secret = token(lab.service, "spare")
    other.keep(post(lab.service, "simpleenroll", other.request(), secret=secret)[1])
    assert counterseal(lab.service.home, "revoke", "cracked", "--reason", "key_compromise").code == 0
    assert refused(lab, "simpleenroll", device.request(), 400, secret=lab.secret) == "key.compromised"
    for request in (other.request("spare"), Device.new(tmp_path / "thief").request("spare")):
        assert refused(lab, "simplereenroll", request, 403, device=other) == "peer.revoked"


def test_nothing_was_used_up(lab: Lab, tmp_path: Path) -> None:
    """After all of that the token still gives its certificate."""
    device = Device.new(tmp_path / "next")
    status, body, _ = post(lab.service, "simpleenroll", device.request(), secret=lab.secret)
    assert (status, "next" in device.keep(body).subject.rfc4514_string()) == (200, True)
