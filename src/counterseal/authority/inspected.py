"""The values that inspection answers with: files, the things in them, and what belongs together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from counterseal.pki.shape import Kind

if TYPE_CHECKING:
    from cryptography import x509

    from counterseal.bundles.pkcs12 import Strength
    from counterseal.bundles.pkcs12_reader import Protection
    from counterseal.findings import Finding
    from counterseal.pki.describe.certificate import CertificateFacts
    from counterseal.pki.describe.crl import CRLFacts
    from counterseal.pki.describe.csr import CSRFacts
    from counterseal.pki.describe.key import KeyFacts
    from counterseal.pki.encryption import Scheme
    from counterseal.pki.recognise import Piece


_WRONG_PASSWORD = frozenset({"pkcs12.password", "key.passphrase_wrong"})


@dataclass(frozen=True, slots=True)
class GivenFile:
    """A file as it was given: ``mode`` are its permission bits, None for standard input."""

    name: str
    content: bytes = field(repr=False)
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class PrivateKeyFacts:
    """A private key by its public half, None while it is closed; ``encryption`` is None where there is none."""

    key: KeyFacts | None
    encryption: Scheme | None


@dataclass(frozen=True, slots=True)
class PKCS12Facts:
    """A PKCS#12 file; what it holds follows as things of its own once it is ``opened``."""

    strength: Strength | None
    protection: Protection
    opened: bool


if TYPE_CHECKING:
    Facts = CertificateFacts | CSRFacts | CRLFacts | KeyFacts | PrivateKeyFacts | PKCS12Facts


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing found in a file.

    ``place`` names it among all, ``part_of`` is the place of the PKCS#7 or PKCS#12 that holds it. ``issued_by`` is the
    place of its issuer (of a list: of its CA), or which CA of this machine that is, and ``key_at`` the place of its
    private key, where it was given too.
    ``known_as`` says what the CA of this machine knows of it.
    """

    kind: Kind
    place: str
    piece: Piece | None = field(default=None, repr=False)
    facts: Facts | None = None
    findings: tuple[Finding, ...] = ()
    part_of: str | None = None
    issued_by: str | None = None
    key_at: str | None = None
    known_as: str | None = None
    friendly_name: str | None = None
    certificate: x509.Certificate | None = field(default=None, repr=False)

    @property
    def password_is_wrong(self) -> bool:
        """Whether it stays closed although a password was given."""
        return any(finding.code in _WRONG_PASSWORD for finding in self.findings)


@dataclass(frozen=True, slots=True)
class InspectedFile:
    """A file: its things in their order, and what is to be said of them together."""

    name: str
    size: int
    things: tuple[Thing, ...]
    arrangement: str | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def is_readable(self) -> bool:
        """Whether anything in it was recognised, and nothing stays closed because the password given is wrong."""
        return any(thing.kind is not Kind.UNKNOWN for thing in self.things) and not any(
            thing.password_is_wrong for thing in self.things
        )
