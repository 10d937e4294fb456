"""OpenSSL's checks of extensions, strength and names (check_extensions, check_auth_level, check_name_constraints)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.pki.constraints import common_name_as_dns, subject_names, violated_by
from counterseal.pki.openssl.codes import Error
from counterseal.pki.openssl.relation import (
    has_unknown_critical_extension,
    is_self_signed,
    security_bits_of_key,
    security_bits_of_signature,
)
from counterseal.pki.profile import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterseal.pki.path.candidate import Candidate

    Call = tuple[Error, int]

_LEVELS = (0, 80, 112, 128, 192, 256)


def extension_errors(members: Sequence[Candidate], purpose: Purpose) -> Iterator[Call]:
    """Yield the errors of check_extensions, from the end entity up."""
    below = 0
    for depth, member in enumerate(members):
        if has_unknown_critical_extension(member):
            yield Error.UNHANDLED_CRITICAL_EXTENSION, depth
        if depth and not _is_ca(member, last=depth + 1 == len(members)):
            yield Error.INVALID_CA, depth
        if not _is_suitable(member, purpose, ca=depth > 0):
            yield Error.INVALID_PURPOSE, depth
        constraints = member.value(x509.BasicConstraints)
        limit = None if constraints is None else constraints.path_length
        if depth > 1 and limit is not None and below > limit:
            yield Error.PATH_LENGTH_EXCEEDED, depth
        below += bool(depth) and not member.self_issued


def strength_errors(members: Sequence[Candidate], level: int) -> Iterator[Call]:
    """Yield the errors of check_auth_level; the end entity's key comes first of all and is not among them."""
    for depth, member in enumerate(members):
        if depth and security_bits_of_key(member) < _LEVELS[level]:
            yield Error.CA_KEY_TOO_SMALL, depth
        if depth < len(members) - 1 and security_bits_of_signature(member) < _LEVELS[level]:
            yield Error.CA_MD_TOO_WEAK, depth


def end_entity_key_errors(end_entity: Candidate, level: int) -> Iterator[Call]:
    """Yield the error with which verification begins."""
    if security_bits_of_key(end_entity) < _LEVELS[level]:
        yield Error.EE_KEY_TOO_SMALL, 0


def name_constraint_errors(members: Sequence[Candidate]) -> Iterator[Call]:
    """Yield the first violation by each CA, of each certificate below it, from the top (check_name_constraints)."""
    for depth in range(len(members) - 1, -1, -1):
        member = members[depth]
        if depth and member.self_issued:
            continue
        names = _constrained(member, end_entity=depth == 0)
        for above in range(len(members) - 1, depth, -1):
            constraints = members[above].value(x509.NameConstraints)
            violating = () if constraints is None else violated_by(constraints, names)
            if constraints is not None and violating:
                yield _violation(constraints, violating[0]), depth


def _violation(constraints: x509.NameConstraints, name: x509.GeneralName) -> Error:
    if constraints.permitted_subtrees and violated_by(
        x509.NameConstraints(constraints.permitted_subtrees, None), [name]
    ):
        return Error.PERMITTED_VIOLATION
    return Error.EXCLUDED_VIOLATION


def _is_ca(member: Candidate, *, last: bool) -> bool:
    """X509_check_ca, where only a root may be a CA by version 1 or by its key usage alone."""
    usage, constraints = member.value(x509.KeyUsage), member.value(x509.BasicConstraints)
    if usage is not None and not usage.key_cert_sign:
        return False
    if constraints is not None:
        return constraints.ca
    return last and (_is_old_root(member) or usage is not None)


def _is_old_root(member: Candidate) -> bool:
    return member.certificate.version is x509.Version.v1 and is_self_signed(member)


def _is_suitable(member: Candidate, purpose: Purpose, *, ca: bool) -> bool:
    """check_purpose_ssl_client and _server: a named purpose must be there, in CAs too; anyExtendedKeyUsage is not."""
    usages = member.value(x509.ExtendedKeyUsage)
    if usages is not None and not set(purpose.extended_key_usages) & set(usages):
        return False
    if ca:
        return _is_ca(member, last=True)
    usage = member.value(x509.KeyUsage)
    for_server = purpose is Purpose.SERVER
    return usage is None or usage.digital_signature or usage.key_agreement or (for_server and usage.key_encipherment)


def _constrained(member: Candidate, *, end_entity: bool) -> tuple[x509.GeneralName, ...]:
    names = tuple(member.value(x509.SubjectAlternativeName) or ())
    if member.subject is None:
        return names
    common = common_name_as_dns(member.subject, names) if end_entity else None
    return (*subject_names(member.subject), *names, *([common] if common else ()))
