"""A credential for Java: a key store with the key and its chain, and a trust store with the root, both PKCS#12.

PKCS#12 has been Java's own format since JDK 9 (JEP 229), and Java 8 reads it too; JKS is not written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

from counterseal.bundles.pem import file_stem
from counterseal.bundles.pkcs12 import Strength, checked_rounds, encode_any_key, encryption
from counterseal.bundles.pkcs12_mac import with_mac_rounds
from counterseal.errors import InputError
from counterseal.fileset import SECRET, FileSet, PlannedFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from counterseal.bundles.credential import Credential

TRUST_ANCHOR_ALIAS = "counterseal-root"


def java_files(credential: Credential, password: str, *, strength: Strength, rounds: int | None = None) -> FileSet:
    """Return ``NAME.keystore.p12`` (one PrivateKeyEntry, its alias the credential's name) and ``NAME.truststore.p12``.

    Both open with the one password and are 0600: the trust store holds nothing secret, but could be used to guess it.
    Raises InputError ``bundle.password_characters`` for a password that Java cannot take.
    """
    keystore = encode_keystore(credential, password, strength=strength, rounds=rounds)
    truststore = encode_truststore((credential.trust_anchor,), password, strength=strength, rounds=rounds)
    stem = file_stem(credential.name)
    return FileSet(
        (
            PlannedFile(f"{stem}.keystore.p12", keystore, SECRET),
            PlannedFile(f"{stem}.truststore.p12", truststore, SECRET),
        )
    )


def encode_keystore(credential: Credential, password: str, *, strength: Strength, rounds: int | None = None) -> bytes:
    """Return key, certificate and chain as one PrivateKeyEntry; any kind of key that Java knows."""
    _demand_ascii(password)
    return encode_any_key(credential, password, strength=strength, rounds=rounds)


def encode_truststore(
    trust_anchors: Sequence[x509.Certificate], password: str, *, strength: Strength, rounds: int | None = None
) -> bytes:
    """Return the trust anchors as trustedCertEntries ``counterseal-root``, ``counterseal-root-2`` and so on."""
    _demand_ascii(password)
    chosen = checked_rounds(rounds)
    aliases = [TRUST_ANCHOR_ALIAS, *(f"{TRUST_ANCHOR_ALIAS}-{number}" for number in range(2, len(trust_anchors) + 1))]
    entries = [PKCS12Certificate(anchor, alias.encode()) for anchor, alias in zip(trust_anchors, aliases, strict=True)]
    content = serialize_java_truststore(entries, encryption(password, strength=strength, rounds=chosen))
    return with_mac_rounds(content, password, rounds=chosen)


def _demand_ascii(password: str) -> None:
    if not password.isascii():
        raise InputError(
            "bundle.password_characters",
            "Java opens PKCS#12 only with an ASCII password",
            hint="use letters without accents, digits and signs",
        )
