"""Whether the end entity is who it should be: the names asked for against its subject alternative names.

RFC 9525 6 for DNS names and addresses, with RFC 5280 7.2 and 7.5 for mailboxes; the common name is not looked at
(RFC 9525 2), and a failure says so where it would have matched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.pki.path import catalogue
from counterseal.pki.path.check import failed, passed, skipped
from counterseal.pki.profile import Purpose
from counterseal.pki.subject import common_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.pki.path.build import Path
    from counterseal.pki.path.check import Check
    from counterseal.pki.path.question import Question


def names(path: Path, question: Question) -> Iterator[Check]:
    """Every name that was asked for is a subject alternative name of the end entity (RFC 9525 6)."""
    borne = tuple(path.end_entity.value(x509.SubjectAlternativeName) or ())
    for wanted in question.names:
        found = next((name for name in borne if is_borne(wanted, name)), None)
        if found is not None:
            yield passed(catalogue.NAME, 0, "{} is {}", wanted, found)
        else:
            shown = borne or "(no subject alternative names)"
            yield failed(catalogue.NAME, 0, "{} is none of: {}{}", wanted, shown, _common_name(path, wanted))
    if not question.names and question.purpose is Purpose.SERVER:
        yield skipped(catalogue.NAME, 0, "no name was asked for", hint="name the server with --hostname")


def is_borne(wanted: x509.GeneralName, name: x509.GeneralName) -> bool:
    """Whether a name of a certificate is, or covers as a wildcard, the name that a peer was reached by."""
    match wanted, name:
        case x509.DNSName(), x509.DNSName():
            return _covers(name.value.lower(), wanted.value.lower().removesuffix("."))
        case x509.RFC822Name(), x509.RFC822Name():
            return _mailbox(wanted.value) == _mailbox(name.value)
        case _:
            return type(wanted) is type(name) and wanted.value == name.value


def _covers(pattern: str, host: str) -> bool:
    """Whether a pattern covers a host: a wildcard is one whole label, with two or more after it (RFC 9525 6.3)."""
    if not pattern.startswith("*."):
        return pattern == host
    _, _, above = host.partition(".")
    return "." in above and pattern[2:] == above and "*" not in above


def _mailbox(address: str) -> tuple[str, str]:
    local, _, host = address.rpartition("@")
    return local, host.lower()


def _common_name(path: Path, wanted: x509.GeneralName) -> str:
    common = None if path.end_entity.subject is None else common_name(path.end_entity.subject)
    matches = common is not None and common.lower() == str(wanted.value).lower()
    return "; the common name is the name asked for, but RFC 9525 2 does not look at it" if matches else ""
