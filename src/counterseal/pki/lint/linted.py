"""What a lint rule looks at: one certificate, its extensions and names read once, and the path above it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography import x509

from counterseal.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Rule = Callable[["Linted"], Iterable[Finding]]
    Extensions = Mapping[type[x509.ExtensionType], x509.Extension[Any]]

ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True)
class Linted:
    """One certificate under judgement."""

    certificate: x509.Certificate
    path: tuple[x509.Certificate, ...]
    subject: x509.Name
    extensions: Extensions | None = field(repr=False)
    unreadable: str | None = None

    @classmethod
    def of(cls, certificate: x509.Certificate, path: Sequence[x509.Certificate]) -> Linted:
        """Read the extensions once; a certificate whose extensions cannot be read has none and a reason."""
        try:
            extensions, reason = _by_kind(certificate), None
        except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
            extensions, reason = None, str(error)
        return cls(certificate, tuple(path), certificate.subject, extensions, reason)

    @property
    def issuer(self) -> x509.Certificate | None:
        """The certificate that signs, when it is known."""
        return self.path[0] if self.path else None

    @property
    def is_ca(self) -> bool:
        """Whether basicConstraints says so."""
        constraints = self.value(x509.BasicConstraints)
        return constraints is not None and constraints.ca

    @property
    def names(self) -> tuple[x509.GeneralName, ...]:
        """The subject alternative names."""
        return tuple(self.value(x509.SubjectAlternativeName) or ())

    def extension(self, kind: type[ExtensionT]) -> x509.Extension[ExtensionT] | None:
        """Return the extension of this class, or None."""
        return self.extensions.get(kind) if self.extensions is not None else None

    def value(self, kind: type[ExtensionT]) -> ExtensionT | None:
        """Return the value of the extension of this class, or None."""
        found = self.extension(kind)
        return found.value if found else None


def extension_of(issuer: x509.Certificate, kind: type[ExtensionT]) -> x509.Extension[ExtensionT] | None:
    """Return the extension of this class in a CA certificate, or None; the same few are asked again and again."""
    return _extensions_of(issuer).get(kind)


@lru_cache(maxsize=32)
def subject_der(issuer: x509.Certificate) -> bytes:
    """Return the subject of a CA certificate, encoded."""
    return issuer.subject.public_bytes()


def error(code: str, message: str, hint: str | None = None) -> Finding:
    """Return a finding that stops an issuance."""
    return Finding(code, Severity.CRITICAL, message, hint=hint)


def warning(code: str, message: str, hint: str | None = None) -> Finding:
    """Return a finding that is shown and stops nothing."""
    return Finding(code, Severity.MEDIUM, message, hint=hint)


def _by_kind(certificate: x509.Certificate) -> Extensions:
    return {type(extension.value): extension for extension in certificate.extensions}


_extensions_of = lru_cache(maxsize=32)(_by_kind)
