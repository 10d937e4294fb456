"""Checks of what the keys along the path may be used for: CA or not, path length, key usage, extended key usage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.pki.path import catalogue
from counterseal.pki.path.check import failed, lapsed, passed, warned
from counterseal.pki.profile import Purpose
from counterseal.pki.shown import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.pki.path.build import Path
    from counterseal.pki.path.check import Check
    from counterseal.pki.path.question import Question


def basic_constraints(path: Path, question: Question) -> Iterator[Check]:
    """Every certificate above the end entity is a CA and says so (RFC 5280 6.1.4 (k), 4.2.1.9)."""
    for position, member in path.authorities:
        extension = member.extension(x509.BasicConstraints)
        if extension is None:
            yield failed(catalogue.BASIC_CONSTRAINTS, position, "no basicConstraints: it is no CA, yet it issued")
        elif not extension.value.ca:
            yield failed(catalogue.BASIC_CONSTRAINTS, position, "CA:FALSE, yet it issued the certificate below")
        elif not extension.critical:
            yield lapsed(
                catalogue.BASIC_CONSTRAINTS, position, "CA:TRUE, but not critical", question, section="RFC 5280 4.2.1.9"
            )
        else:
            yield passed(catalogue.BASIC_CONSTRAINTS, position, "CA:TRUE, critical")
    if path.end_entity.is_ca and len(path.members) > 1:
        yield lapsed(
            catalogue.BASIC_CONSTRAINTS,
            0,
            "CA:TRUE, yet it is used as an end entity",
            question,
            hint="use a certificate of its own for the peer",
        )


def path_length(path: Path, _: Question) -> Iterator[Check]:
    """No more CAs stand below a CA than it admits; self-issued ones do not count (RFC 5280 6.1.4 (l), (m))."""
    for position, member in path.authorities:
        below = sum(not one.self_issued for one in path.members[1:position])
        constraints = member.value(x509.BasicConstraints)
        limit = None if constraints is None else constraints.path_length
        if limit is None:
            yield passed(catalogue.PATH_LENGTH, position, "no limit; CAs below: {}", below)
        else:
            say = passed if below <= limit else failed
            yield say(catalogue.PATH_LENGTH, position, "admits {} below it, has {}", counted(limit, "CA"), below)


def key_usage(path: Path, question: Question) -> Iterator[Check]:
    """CAs have keyCertSign, the end entity digitalSignature, where they have a key usage (RFC 5280 4.2.1.3)."""
    for position, member in enumerate(path.members):
        usage = member.value(x509.KeyUsage)
        if usage is None:
            say = warned if position else passed
            yield say(catalogue.KEY_USAGE, position, "no key usage: not restricted")
        elif position:
            say, text = (passed, "{}") if usage.key_cert_sign else (failed, "{}: keyCertSign is missing")
            yield say(catalogue.KEY_USAGE, position, text, usage)
        else:
            yield _end_entity_usage(usage, question, is_ca=member.is_ca)


def extended_key_usage(path: Path, question: Question) -> Iterator[Check]:
    """Every certificate of the path that names purposes names the one asked for (RFC 5280 4.2.1.12)."""
    (wanted,) = question.purpose.extended_key_usages
    for position, member in enumerate(path.members):
        usages = member.value(x509.ExtendedKeyUsage)
        if usages is None:
            if position or question.purpose is Purpose.CLIENT:
                yield passed(catalogue.EXTENDED_KEY_USAGE, position, _UNRESTRICTED, wanted)
            else:
                text = f"{_UNRESTRICTED}; Apple's clients refuse it"
                yield warned(catalogue.EXTENDED_KEY_USAGE, 0, text, wanted, hint=_ABSENT)
        elif wanted in usages:
            yield passed(catalogue.EXTENDED_KEY_USAGE, position, "{}", usages)
        else:
            yield failed(catalogue.EXTENDED_KEY_USAGE, position, "{}: {} is missing", usages, wanted)


_UNRESTRICTED = "no extended key usage: not restricted, {} included"
_ABSENT = "issue it anew with serverAuth (support.apple.com/103769)"


def _end_entity_usage(usage: x509.KeyUsage, question: Question, *, is_ca: bool) -> Check:
    """RFC 8446 4.4.2.2 wants digitalSignature; a server's key may serve TLS 1.2 by encipherment alone."""
    if usage.key_cert_sign and not is_ca:
        text = "{}: keyCertSign without being a CA"
        return lapsed(catalogue.KEY_USAGE, 0, text, question, usage, section="RFC 5280 4.2.1.9")
    if usage.digital_signature:
        return passed(catalogue.KEY_USAGE, 0, "{}", usage)
    if usage.key_agreement or (usage.key_encipherment and question.purpose is Purpose.SERVER):
        text = "{}: no digitalSignature, so not for TLS 1.3"
        return warned(catalogue.KEY_USAGE, 0, text, usage, section="RFC 8446 4.4.2.2")
    return failed(catalogue.KEY_USAGE, 0, "{}: digitalSignature is missing", usage, section="RFC 8446 4.4.2.2")
