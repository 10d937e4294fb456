"""A credential as an Apple configuration profile: root, intermediates and PKCS#12 in one file for iOS and macOS.

Decides the payloads and their identifiers, which depend on the trust anchor and the name alone: a new profile for the
same name replaces the old one instead of standing beside it. Apple's "Device Management Profile" reference, payloads
``com.apple.security.root``, ``com.apple.security.pkcs1`` and ``com.apple.security.pkcs12``. The profile is not signed:
the device shows it as such.
"""

from __future__ import annotations

import plistlib
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.bundles.pem import file_stem
from counterseal.pki.subject import common_name, show_subject

if TYPE_CHECKING:
    from cryptography import x509

    from counterseal.bundles.credential import Credential

IDENTIFIER_PREFIX = "counterseal"
_NAMESPACE = UUID("8f9c2b1e-5d0a-5f6b-9e53-3d7c1a2b4e60")  # ours alone; changing it would orphan every profile


def encode_mobileconfig(credential: Credential, pkcs12: bytes) -> bytes:
    """Return the profile as an XML property list around the PKCS#12 that ``bundles.pkcs12`` made.

    The password is not in it: the device asks for it.
    """
    anchor = credential.trust_anchor.fingerprint(SHA256()).hex()
    authorities = [
        _certificate_payload(certificate, anchor, is_anchor=certificate is credential.trust_anchor)
        for certificate in reversed(credential.authorities)
    ]
    identity = _payload("com.apple.security.pkcs12", f"{anchor}/identity/{credential.name}", credential.name)
    identity |= {"PayloadContent": pkcs12, "PayloadCertificateFileName": f"{file_stem(credential.name)}.p12"}
    profile = _payload("Configuration", f"{anchor}/profile/{credential.name}", credential.name)
    profile |= {
        "PayloadContent": [*authorities, identity],
        "PayloadDescription": f"Client certificate {credential.name} and the certificates it needs",
        "PayloadOrganization": _shown(credential.trust_anchor),
        "PayloadRemovalDisallowed": False,
    }
    return plistlib.dumps(profile, fmt=plistlib.FMT_XML)


def _certificate_payload(certificate: x509.Certificate, anchor: str, *, is_anchor: bool) -> dict[str, Any]:
    kind = "com.apple.security.root" if is_anchor else "com.apple.security.pkcs1"
    payload = _payload(kind, f"{anchor}/authority/{certificate.fingerprint(SHA256()).hex()}", _shown(certificate))
    file_name = f"{file_stem(_shown(certificate))}.cer"
    return payload | {
        "PayloadContent": certificate.public_bytes(Encoding.DER),
        "PayloadCertificateFileName": file_name,
    }


def _payload(kind: str, seed: str, shown: str) -> dict[str, Any]:
    identifier = uuid5(_NAMESPACE, seed)
    return {
        "PayloadType": kind,
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{IDENTIFIER_PREFIX}.{identifier}",
        "PayloadUUID": str(identifier).upper(),
        "PayloadDisplayName": shown,
    }


def _shown(certificate: x509.Certificate) -> str:
    shown = common_name(certificate.subject) or show_subject(certificate.subject)
    return "".join(character for character in shown if character.isprintable()) or "certificate authority"
