"""OCSP responses: whom they answer for, who signed them, how fresh they are, and what they say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from chains import HOST, NOW, Recipe, ca, end_entity, intermediate, root
from counterseal.pki.path.explain import explain
from counterseal.pki.profile import Purpose
from pki_fixtures import Issued, key_of

DAY = timedelta(days=1)
GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN


@cache
def server() -> Issued:
    """Return the end entity that is asked about."""
    return end_entity(intermediate()).make()


def delegate(*, by: Issued | None = None, **changes: bool) -> Recipe:
    """Return the recipe of a responder that the intermediate certified, or another CA."""
    recipe = end_entity(by or intermediate(), name="responder", key=key_of("p-256", 50)).without(
        x509.SubjectAlternativeName
    )
    usages = [ExtendedKeyUsageOID.OCSP_SIGNING if changes.get("usage", True) else ExtendedKeyUsageOID.SERVER_AUTH]
    recipe = recipe.having((x509.ExtendedKeyUsage(usages), False))
    return recipe.having((x509.OCSPNoCheck(), False)) if changes.get("nocheck", True) else recipe


def response(
    *,
    status: ocsp.OCSPCertStatus = GOOD,
    signer: Issued | None = None,
    about: Issued | None = None,
    this_update: datetime = NOW - DAY,
    next_update: datetime | None = NOW + DAY,
    hash_: SHA1 | SHA256 | None = None,
) -> ocsp.OCSPResponse:
    """Return a response of the intermediate, or of ``signer``, which is then sent along."""
    by = signer or intermediate()
    revoked = status is REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response(
        (about or server()).certificate,
        intermediate().certificate,
        hash_ or SHA1(),  # noqa: S303 - what responders use for the hashes of CertID
        status,
        this_update,
        next_update,
        NOW - DAY if revoked else None,
        x509.ReasonFlags.key_compromise if revoked else None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, by.certificate)
    builder = builder.certificates([by.certificate]) if signer else builder
    return builder.sign(by.private_key, SHA256())


def outcomes(given: ocsp.OCSPResponse) -> str:
    """Return kind and outcome of each check that the response leads to."""
    told = explain(
        server().certificate,
        [intermediate().certificate],
        [root().certificate],
        purpose=Purpose.SERVER,
        at=NOW,
        names=[HOST],
        ocsp_responses=[given],
    )
    found = [check for check in told.best.checks if check.kind.code in {"ocsp", "revocation"}]
    assert {check.position for check in found} in ({0}, {None})
    return ", ".join(f"{check.kind.code} {check.outcome.value}" for check in found)


# Who signed it, how fresh it is, what it says; where one step has two faults there are two of it.
RESPONSES = {
    "good": (response(), "ocsp pass, ocsp pass, revocation pass"),
    "SHA-256": (response(hash_=SHA256()), "ocsp pass, ocsp pass, revocation pass"),
    "revoked": (response(status=REVOKED), "ocsp pass, ocsp pass, revocation fail"),
    "unknown": (response(status=UNKNOWN), "ocsp pass, ocsp pass, revocation fail"),
    "delegate": (response(signer=delegate().make()), "ocsp pass, ocsp pass, revocation pass"),
    "no nocheck": (response(signer=delegate(nocheck=False).make()), "ocsp warn, ocsp pass, revocation pass"),
    "no OCSPSigning": (response(signer=delegate(usage=False).make()), "ocsp fail, ocsp pass, revocation pass"),
    "delegate of another CA": (
        response(signer=delegate(by=root()).make()),
        "ocsp fail, ocsp pass, revocation pass",
    ),
    "delegate expired": (
        response(signer=replace(delegate(), end=NOW - DAY).make()),
        "ocsp fail, ocsp pass, revocation pass",
    ),
    "stranger": (
        response(signer=ca("stranger", key=key_of("p-256", 51)).make()),
        "ocsp fail, ocsp fail, ocsp pass, revocation pass",
    ),
    "expired": (response(next_update=NOW - timedelta(hours=1)), "ocsp pass, ocsp fail, revocation pass"),
    "future": (response(this_update=NOW + timedelta(hours=1)), "ocsp pass, ocsp fail, ocsp pass, revocation pass"),
    "no next_update": (response(next_update=None), "ocsp pass, ocsp warn, revocation pass"),
    "another serial number": (response(about=replace(end_entity(intermediate()), serial_number=7).make()), "ocsp fail"),
    "another issuer": (response(about=intermediate()), "ocsp fail"),
    "try later": (ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER), "ocsp fail"),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_a_response_is_believed_or_not(name: str) -> None:
    """Every step of RFC 6960 3.2 has a response that fails it alone."""
    given, expected = RESPONSES[name]
    assert outcomes(given) == expected


def test_a_response_with_a_wrong_signature_is_not_believed() -> None:
    """One octet of it is not what was signed."""
    octets = bytearray(response().public_bytes(Encoding.DER))
    octets[-1] ^= 1
    assert outcomes(ocsp.load_der_ocsp_response(bytes(octets))).startswith("ocsp fail")


@pytest.mark.parametrize(
    "algorithm", [bytes.fromhex("2b0e03021a"), bytes.fromhex("2a8648ce3d040302")], ids=["of the names", "signature"]
)
def test_a_response_with_an_unknown_algorithm_is_not_believed(algorithm: bytes) -> None:
    """A hash of names that nobody knows (here a number beside SHA-1's), or such a signature: no error of ours."""
    octets = response().public_bytes(Encoding.DER)
    unknown = octets.replace(algorithm, algorithm[:-1] + b"\x7f", 1)
    assert unknown != octets
    assert outcomes(ocsp.load_der_ocsp_response(unknown)) == "ocsp fail"
