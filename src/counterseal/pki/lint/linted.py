"""What a lint rule looks at: one certificate, its extensions and names read once, and the path above it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.findings import Finding, Severity
from counterseal.pki.extensions import read_extensions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    Rule = Callable[["Linted"], Iterable[Finding]]
    Extensions = Mapping[type[x509.ExtensionType], x509.Extension[Any]]

ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)


class Linted(NamedTuple):
    """One certificate under judgement."""

    certificate: x509.Certificate
    path: tuple[x509.Certificate, ...]
    subject: x509.Name
    extensions: Extensions | None
    unreadable: str | None
    extensions_above: tuple[Extensions, ...]
    names: tuple[x509.GeneralName, ...]
    """The subject alternative names."""
    is_ca: bool
    """Whether basicConstraints says so."""
    at: datetime | None = None

    @classmethod
    def of(
        cls, certificate: x509.Certificate, path: Sequence[x509.Certificate], *, at: datetime | None = None
    ) -> Linted:
        """Read the extensions once; a certificate whose extensions cannot be read has none and a reason."""
        issuers = tuple(path)
        extensions, unreadable = _by_kind(certificate)
        alternative, constraints = (
            (extensions or {}).get(kind) for kind in (x509.SubjectAlternativeName, x509.BasicConstraints)
        )
        return cls(
            certificate,
            issuers,
            certificate.subject,
            extensions,
            unreadable,
            _extensions_above(issuers),
            names=tuple(alternative.value) if alternative else (),
            is_ca=constraints is not None and constraints.value.ca,
            at=at,
        )

    @property
    def issuer(self) -> x509.Certificate | None:
        """The certificate that signs, when it is known."""
        return self.path[0] if self.path else None

    @property
    def der(self) -> bytes:
        """The whole certificate."""
        return self.certificate.public_bytes(Encoding.DER)

    def extension(self, kind: type[ExtensionT]) -> x509.Extension[ExtensionT] | None:
        """Return the extension of this class, or None."""
        return self.extensions.get(kind) if self.extensions is not None else None

    def value(self, kind: type[ExtensionT]) -> ExtensionT | None:
        """Return the value of the extension of this class, or None."""
        found = self.extensions.get(kind) if self.extensions is not None else None
        return found.value if found is not None else None

    def above(self, kind: type[ExtensionT]) -> Iterator[tuple[x509.Certificate, x509.Extension[ExtensionT] | None]]:
        """Yield every CA of the path with its extension of this class, or None."""
        for issuer, extensions in zip(self.path, self.extensions_above, strict=True):
            yield issuer, extensions.get(kind)


def extension_of(issuer: x509.Certificate, kind: type[ExtensionT]) -> x509.Extension[ExtensionT] | None:
    """Return the extension of this class in a CA certificate, or None."""
    return _extensions_above((issuer,))[0].get(kind)


@lru_cache(maxsize=32)
def subject_der(issuer: x509.Certificate) -> bytes:
    """Return the subject of a CA certificate, encoded."""
    return issuer.subject.public_bytes()


def public_key_of(certificate: x509.Certificate) -> CertificatePublicKeyTypes | None:
    """Return the key, or None when the library cannot read it, which the rule about keys tells."""
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None


def error(code: str, message: str, hint: str | None = None) -> Finding:
    """Return a finding that stops an issuance."""
    return Finding(code, Severity.CRITICAL, message, hint=hint)


def high(code: str, message: str, hint: str | None = None) -> Finding:
    """Return a finding that harms whoever relies on the thing, and stops nothing."""
    return Finding(code, Severity.HIGH, message, hint=hint)


def note(code: str, message: str, hint: str | None = None) -> Finding:
    """Return a finding that harms nobody but should be known."""
    return Finding(code, Severity.INFO, message, hint=hint)


def low(code: str, message: str, hint: str | None = None) -> Finding:
    """Return a finding that should be mended some day."""
    return Finding(code, Severity.LOW, message, hint=hint)


def warning(code: str, message: str, hint: str | None = None) -> Finding:
    """Return a finding that is shown and stops nothing."""
    return Finding(code, Severity.MEDIUM, message, hint=hint)


def _by_kind(certificate: x509.Certificate) -> tuple[Extensions | None, str | None]:
    extensions, problem = read_extensions(certificate)
    return None if extensions is None else {type(one.value): one for one in extensions}, problem


@lru_cache(maxsize=8)  # a batch asks about the same path a hundred thousand times
def _extensions_above(path: tuple[x509.Certificate, ...]) -> tuple[Extensions, ...]:
    return tuple(_by_kind(issuer)[0] or {} for issuer in path)
