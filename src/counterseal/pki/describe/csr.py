"""What a certification request asks for, also one that would be refused (RFC 2986)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from counterseal.pki.describe.extensions import ExtensionFacts, describe_extensions
from counterseal.pki.describe.key import KeyFacts, describe_key_of
from counterseal.pki.describe.oids import oid_name
from counterseal.pki.describe.values import show_any_name
from counterseal.pki.extensions import UNREADABLE, extension_in, read_extensions
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CSRFacts:
    """A request in words. ``attributes`` are named only: a challenge password is a secret of its sender."""

    subject: str
    names: tuple[str, ...]
    key: KeyFacts
    signature_algorithm: str
    signature_verifies: bool
    extensions: tuple[ExtensionFacts, ...]
    attributes: tuple[str, ...]
    extensions_problem: str | None = None


def describe_csr(request: x509.CertificateSigningRequest) -> CSRFacts:
    """Return what the request says, and whether its signature proves that the sender holds the key."""
    extensions, problem = read_extensions(request)
    subject = _or(lambda: show_subject(request.subject), "a name that cannot be read")
    names = extension_in(extensions, x509.SubjectAlternativeName) or ()
    return CSRFacts(
        subject=subject,
        names=tuple(show_any_name(name) for name in names),
        key=describe_key_of(request.public_key),
        signature_algorithm=oid_name(request.signature_algorithm_oid.dotted_string),
        signature_verifies=signature_verifies(request),
        extensions=describe_extensions(extensions) if extensions else (),
        attributes=_or(lambda: tuple(oid_name(one.oid.dotted_string) for one in request.attributes), ()),
        extensions_problem=problem,
    )


def signature_verifies(request: x509.CertificateSigningRequest) -> bool:
    """Whether the request is signed by its own key; one that cannot be checked is not."""
    try:
        return request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _or(read: Callable[[], T], otherwise: T) -> T:
    try:
        return read()
    except UNREADABLE:
        return otherwise
