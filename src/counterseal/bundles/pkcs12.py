"""A certificate with its key and chain as one password-protected PKCS#12 file (RFC 7292), for browsers and devices.

Decides two strengths, what the password costs to guess, and which keys a browser can use at all. The password is
chosen elsewhere (``bundles.password``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from counterseal.bundles.pkcs12_mac import with_mac_rounds
from counterseal.errors import InputError, RefusedError
from counterseal.pki.keys import MIN_RSA_BITS, show_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
    from cryptography.hazmat.primitives.serialization import KeySerializationEncryption

    from counterseal.bundles.credential import Credential

DEFAULT_ROUNDS = 20_000
"""What every guess at the password costs, in rounds of the key derivation and, as much, of the MAC: some 10 ms a file
to write (modern; compatible 25 ms), and 10 times what ``openssl pkcs12`` asks of a guess."""

FAST_ROUNDS = 2_048
"""What ``openssl pkcs12`` uses, under 1 ms a file (modern): for bulk with generated passwords, which no stretching
has to protect. Used only when asked for."""

MAX_ROUNDS = 300_000
"""Beyond this .NET 9 and newer refuse the file (the default ``Pkcs12LoaderLimits``)."""


class Strength(StrEnum):
    """How the file is encrypted.

    ``MODERN`` is PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC, and a SHA-256 MAC. ``COMPATIBLE`` is triple DES by the
    derivation of RFC 7292 appendix B with a SHA-1 MAC, for what cannot read the other: macOS and iOS in many versions,
    Android before 14, Windows Server 2016 and Windows 10 before 1709, Java before 8u301.
    """

    MODERN = "modern"
    COMPATIBLE = "compatible"


@dataclass(frozen=True, slots=True)
class Packing:
    """How PKCS#12 files are made; without a ``password`` each gets one of its own."""

    strength: Strength
    rounds: int
    password: str | None = field(default=None, repr=False)


def encode(credential: Credential, password: str, *, strength: Strength, rounds: int | None = None) -> bytes:
    """Return key, certificate and the whole chain with its trust anchor as PKCS#12 that a browser can import.

    The friendly name is the credential's name; ``rounds`` is ``DEFAULT_ROUNDS`` unless given, from ``FAST_ROUNDS`` on.
    Raises RefusedError ``bundle.browser_key``, NotFoundError ``bundle.key_missing``, InputError ``bundle.rounds`` or
    ``bundle.password_characters``.
    """
    reason = browser_key_refusal(credential.certificate.public_key())
    if reason is not None:
        raise RefusedError(
            "bundle.browser_key",
            f"browsers cannot use this key: {reason}",
            hint="make the certificate with --key p-256 or rsa-2048, or export it as pem, java or kubernetes",
        )
    return encode_any_key(credential, password, strength=strength, rounds=rounds)


def encode_any_key(credential: Credential, password: str, *, strength: Strength, rounds: int | None = None) -> bytes:
    """Return the same as ``encode`` for any kind of key: for programs, not for browsers."""
    key, chosen = credential.require_key("a PKCS#12 file"), checked_rounds(rounds)
    content = pkcs12.serialize_key_and_certificates(
        credential.name.encode(),
        key,  # type: ignore[arg-type]  # pki certifies none but the kinds that PKCS#12 holds
        credential.certificate,
        credential.authorities,
        encryption(password, strength=strength, rounds=chosen),
    )
    return with_mac_rounds(content, password, rounds=chosen)


def encryption(password: str, *, strength: Strength, rounds: int) -> KeySerializationEncryption:
    """Return how a PKCS#12 of this strength is encrypted; raises InputError ``bundle.password_characters``."""
    if not password or any(ord(character) < ord(" ") or character == "\x7f" for character in password):
        raise InputError("bundle.password_characters", "the password is empty or holds control characters")
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(rounds)
    if strength is Strength.MODERN:
        builder = builder.key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC).hmac_hash(hashes.SHA256())
    else:
        builder = builder.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(
            hashes.SHA1()  # noqa: S303 - the only MAC that the importers of COMPATIBLE know
        )
    return builder.build(password.encode())


def checked_rounds(rounds: int | None) -> int:
    """Return the rounds to use; raises InputError ``bundle.rounds`` below ``FAST_ROUNDS`` or above ``MAX_ROUNDS``."""
    if rounds is None:
        return DEFAULT_ROUNDS
    if not FAST_ROUNDS <= rounds <= MAX_ROUNDS:
        raise InputError(
            "bundle.rounds", f"rounds must be {FAST_ROUNDS} to {MAX_ROUNDS}: {rounds}", hint=f"use {DEFAULT_ROUNDS}"
        )
    return rounds


def browser_key_refusal(public_key: PublicKeyTypes) -> str | None:
    """Return why no browser, or not every one, can use a client certificate with this key; None when all can.

    RSA from 2,048 bits, P-256 and P-384 pass. NSS (Firefox, Chromium on Linux) cannot import Ed25519 and Ed448 keys at
    all; Chromium removed P-521 from TLS; the others never were in it.
    """
    shown = show_key(public_key)
    if isinstance(public_key, rsa.RSAPublicKey):
        return None if public_key.key_size >= MIN_RSA_BITS else f"{shown} is under {MIN_RSA_BITS} bits"
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        if public_key.curve.name in {"secp256r1", "secp384r1"}:
            return None
        return f"{shown} is a curve that Chromium does not use in TLS"
    return f"{shown} cannot be imported by Firefox and Chromium"
