"""What a lint rule looks at: one certificate, its extensions read once, and the path above it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cryptography import x509

from counterseal.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Rule = Callable[["Linted"], Iterable[Finding]]

ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True)
class Linted:
    """One certificate under judgement."""

    certificate: x509.Certificate
    path: tuple[x509.Certificate, ...]
    extensions: x509.Extensions | None
    unreadable: str | None = None

    @classmethod
    def of(cls, certificate: x509.Certificate, path: Sequence[x509.Certificate]) -> Linted:
        """Read the extensions once; a certificate whose extensions cannot be read has none and a reason."""
        try:
            return cls(certificate, tuple(path), certificate.extensions)
        except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
            return cls(certificate, tuple(path), None, str(error))

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
        return extension_of(self.extensions, kind)

    def value(self, kind: type[ExtensionT]) -> ExtensionT | None:
        """Return the value of the extension of this class, or None."""
        found = self.extension(kind)
        return found.value if found else None


def extension_of(extensions: x509.Extensions | None, kind: type[ExtensionT]) -> x509.Extension[ExtensionT] | None:
    """Return the extension of this class among ``extensions``, or None."""
    try:
        return extensions.get_extension_for_class(kind) if extensions is not None else None
    except x509.ExtensionNotFound:
        return None


def error(code: str, message: str, hint: str | None = None) -> Finding:
    """Return a finding that stops an issuance."""
    return Finding(code, Severity.CRITICAL, message, hint=hint)


def warning(code: str, message: str, hint: str | None = None) -> Finding:
    """Return a finding that is shown and stops nothing."""
    return Finding(code, Severity.MEDIUM, message, hint=hint)
