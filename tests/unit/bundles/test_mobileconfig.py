"""Apple profiles, read back as property lists."""

from __future__ import annotations

import plistlib
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bundle_fixtures import client_credential, single_tier_credential
from counterseal.bundles.credential import Credential
from counterseal.bundles.mobileconfig import encode_mobileconfig
from pki_fixtures import CLIENT_NAME, make_client, pki

P12 = b"\x30\x03not a real one"


def _read(credential: Credential, **options: str) -> dict[str, Any]:
    loaded = plistlib.loads(encode_mobileconfig(credential, P12, **options))
    assert isinstance(loaded, dict)
    return loaded


def test_root_intermediate_and_identity_are_payloads() -> None:
    """In the order of trust, each with its DER or PKCS#12."""
    known, profile = client_credential(), _read(client_credential())
    payloads = profile["PayloadContent"]
    assert [payload["PayloadType"] for payload in payloads] == [
        "com.apple.security.root",
        "com.apple.security.pkcs1",
        "com.apple.security.pkcs12",
    ]
    assert x509.load_der_x509_certificate(payloads[0]["PayloadContent"]) == known.trust_anchor
    assert payloads[1]["PayloadContent"] == known.chain[0].public_bytes(Encoding.DER)
    assert payloads[2]["PayloadContent"] == P12
    assert payloads[2]["PayloadCertificateFileName"] == "client.device.p12"


def test_required_keys_are_there_and_identifiers_are_distinct() -> None:
    """Type, version, identifier and UUID on the profile and on every payload."""
    profile = _read(client_credential())
    parts = [profile, *profile["PayloadContent"]]
    assert profile["PayloadType"] == "Configuration"
    assert all(part["PayloadVersion"] == 1 and part["PayloadDisplayName"] for part in parts)
    assert len({part["PayloadIdentifier"] for part in parts}) == len(parts)
    assert len({part["PayloadUUID"] for part in parts}) == len(parts)


def test_a_renewed_certificate_keeps_the_identifiers() -> None:
    """So that the new profile replaces the old one on the device."""
    ca = pki().client_ca
    renewed = make_client(ca, CLIENT_NAME)
    newer = Credential(CLIENT_NAME, renewed.certificate, (ca.certificate,), pki().root.certificate, renewed.private_key)
    assert _identifiers(client_credential()) == _identifiers(newer)


def test_another_name_or_another_root_is_another_profile() -> None:
    """Two people on one device, or two authorities, never replace each other."""
    known = _read(client_credential())["PayloadIdentifier"]
    assert _read(client_credential(name="other"))["PayloadIdentifier"] != known
    assert _read(single_tier_credential())["PayloadIdentifier"] != known


def test_the_password_is_not_inside() -> None:
    """The device asks for it."""
    assert b"Password" not in encode_mobileconfig(client_credential(), P12)


def test_names_need_no_escaping_by_the_caller() -> None:
    """Markup and other alphabets survive the property list."""
    assert _read(client_credential(name="<Zoë> & 王"))["PayloadDisplayName"] == "<Zoë> & 王"


def _identifiers(credential: Credential) -> list[tuple[str, str]]:
    profile = _read(credential)
    return [(part["PayloadIdentifier"], part["PayloadUUID"]) for part in (profile, *profile["PayloadContent"])]
