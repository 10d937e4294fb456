"""Checks of each certificate against the one above it: name, key identifier, signature; and where the path ends."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.pki.path import catalogue
from counterseal.pki.path.build import identifiers_agree
from counterseal.pki.path.check import failed, lapsed, passed, warned
from counterseal.pki.shown import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.pki.path.build import Path
    from counterseal.pki.path.check import Check
    from counterseal.pki.path.question import Question


def signatures(path: Path, _: Question) -> Iterator[Check]:
    """Every signature verifies with the key of the certificate above (RFC 5280 6.1.3 (a)(1))."""
    for position, (subject, issuer) in enumerate(pairwise(path.members)):
        fault = path.faults[position]
        if fault is None:
            algorithm = _algorithm(subject.certificate)
            yield passed(catalogue.SIGNATURE, position, "{}, verified with the key of {}", algorithm, issuer)
        else:
            yield failed(catalogue.SIGNATURE, position, "not signed by {}: {}", issuer, fault)


def issuer_names(path: Path, _: Question) -> Iterator[Check]:
    """Every issuer is the subject of the certificate above (RFC 5280 6.1.3 (a)(4))."""
    for position, (subject, issuer) in enumerate(pairwise(path.members)):
        if subject.issuer == issuer.subject:
            yield passed(catalogue.ISSUER_NAME, position, "issuer {} is the subject above", issuer)
        else:
            yield warned(
                catalogue.ISSUER_NAME,
                position,
                "issuer {} and the subject above {} differ in case or blanks",
                subject.issuer_name,
                issuer,
                hint="nothing has to be done for OpenSSL; some verifiers compare octets",
            )


def key_identifiers(path: Path, question: Question) -> Iterator[Check]:
    """Every authority key identifier names the key above; a hint for building paths (RFC 5280 4.2.1.1, 4.2.1.2)."""
    for position, (subject, issuer) in enumerate(pairwise(path.members)):
        named = subject.authority_key_identifier
        own = issuer.subject_key_identifier
        if not identifiers_agree(subject, issuer):
            text = "authority key identifier names the key {}, the issuer's is {}"
            yield failed(catalogue.KEY_IDENTIFIER, position, text, named, own)
        elif named is None or own is None:
            absent = "the authority key identifier" if named is None else "the issuer's subject key identifier"
            yield lapsed(
                catalogue.KEY_IDENTIFIER,
                position,
                f"{absent} is absent: OpenSSL goes by the name alone",
                question,
                hint=_ADD,
            )
        else:
            yield passed(catalogue.KEY_IDENTIFIER, position, "key identifier {} on both sides", own)
    yield from _anchor_identifiers(path, question)


def depth(path: Path, question: Question) -> Iterator[Check]:
    """No more intermediates stand on the path than the depth admits; self-issued ones do not count, as in 6.1.4 (l)."""
    if question.depth is None:
        return
    between = path.members[1:-1] if path.anchored else path.members[1:]
    found = sum(not member.self_issued for member in between)
    say = passed if found <= question.depth else failed
    yield say(catalogue.DEPTH, None, "{}, {} admitted", counted(found, "intermediate"), question.depth)


_ADD = "issue it anew with key identifiers, which RFC 5280 requires"


def _anchor_identifiers(path: Path, question: Question) -> Iterator[Check]:
    """Nothing above an anchor is looked for, yet what it says of its own key must not be wrong."""
    last, position = path.members[-1], len(path.members) - 1
    found = last.value(x509.AuthorityKeyIdentifier)
    if found is not None and found.key_identifier is None:
        yield lapsed(
            catalogue.KEY_IDENTIFIER, position, "the authority key identifier holds no key identifier", question
        )
    elif found is not None and not identifiers_agree(last, last) and last.self_issued:
        text = "self-signed, but names another key: {}, its own key is {}"
        named, own = found.key_identifier, last.subject_key_identifier
        yield lapsed(catalogue.KEY_IDENTIFIER, position, text, question, named, own)


def _algorithm(certificate: x509.Certificate) -> str:
    return certificate.signature_algorithm_oid._name  # noqa: SLF001 - the library's name of the algorithm
