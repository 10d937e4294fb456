"""Name constraints along the path, and the names a certificate must have at all.

Which name lies in which subtree is decided in ``pki/constraints.py``. RFC 5280 6.1.3 (b), (c), 4.2.1.6, 4.2.1.10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import InputError
from counterseal.pki.constraints import common_name_as_dns, subject_names, violated_by
from counterseal.pki.names import check_name, show_name
from counterseal.pki.path import catalogue
from counterseal.pki.path.check import failed, lapsed, passed, warned
from counterseal.pki.profile import Purpose
from counterseal.pki.shown import printable
from counterseal.pki.subject import common_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.pki.path.build import Path
    from counterseal.pki.path.candidate import Candidate
    from counterseal.pki.path.check import Check
    from counterseal.pki.path.question import Question

MAX_COMPARISONS = 1 << 20
"""Names times subtrees that are compared on one path, as OpenSSL does (v3_ncons.c): more are an attack."""
_SHOWN = 5


def name_constraints(path: Path, question: Question) -> Iterator[Check]:
    """No CA certifies a name outside its subtrees; self-issued CAs are exempt (RFC 5280 6.1.3 (b), (c))."""
    budget = MAX_COMPARISONS
    for position, authority in path.authorities:
        extension = authority.extension(x509.NameConstraints)
        if extension is None:
            continue
        bound = [(below, _names(member)) for below, member in _bound(path, position)]
        budget -= len(_subtrees(extension.value)) * sum(len(names) for _, names in bound)
        if budget < 0:
            text = f"more than {MAX_COMPARISONS} comparisons of names and subtrees"
            yield failed(catalogue.NAME_CONSTRAINTS, position, text)
            return
        yield from _form(position, extension, question)
        for below, names in bound:
            yield _compare(below, authority, extension.value, names)
        yield from _common_name(path.end_entity, authority, extension.value, question)


def subject_alternative_name(path: Path, question: Question) -> Iterator[Check]:
    """Every CA has a subject and a server has names, critical without a subject (RFC 5280 4.1.2.6, 4.2.1.6)."""
    for position, member in path.authorities:
        if member.subject is not None and not member.subject.rdns:
            yield failed(
                catalogue.SUBJECT_ALTERNATIVE_NAME, position, "the CA has no subject", section="RFC 5280 4.1.2.6"
            )
    extension = path.end_entity.extension(x509.SubjectAlternativeName)
    if extension is None:
        say = failed if question.purpose is Purpose.SERVER else passed
        yield say(catalogue.SUBJECT_ALTERNATIVE_NAME, 0, "none; the subject is {}", path.end_entity)
    else:
        yield from _alternative_names(path.end_entity, extension, question)


def _alternative_names(
    end_entity: Candidate, extension: x509.Extension[x509.SubjectAlternativeName], question: Question
) -> Iterator[Check]:
    has_subject = end_entity.subject is not None and bool(end_entity.subject.rdns)
    names = tuple(extension.value)
    odd = tuple(name for name in names if isinstance(name, x509.DNSName) and not _is_dns_name(name))
    if not (extension.critical or has_subject):
        yield failed(catalogue.SUBJECT_ALTERNATIVE_NAME, 0, "no subject, so these must be critical: {}", names)
    elif extension.critical and has_subject:
        text = "critical, although there is a subject: {}"
        yield lapsed(catalogue.SUBJECT_ALTERNATIVE_NAME, 0, text, question, names)
    if odd:
        yield lapsed(catalogue.SUBJECT_ALTERNATIVE_NAME, 0, "not in the syntax of a DNS name: {}", question, odd)
    else:
        yield passed(catalogue.SUBJECT_ALTERNATIVE_NAME, 0, "{}", names)
    common = None if end_entity.subject is None else common_name(end_entity.subject)
    if common and question.purpose is Purpose.SERVER and all(str(name.value) != common for name in names):
        yield warned(
            catalogue.SUBJECT_ALTERNATIVE_NAME,
            0,
            "the common name is none of these: {}",
            printable(common),
            section="CA/Browser Forum BR 7.1.4.3",
            hint="nothing has to be done: clients do not look at the common name",
        )


def _is_dns_name(name: x509.DNSName) -> bool:
    try:
        check_name(name)
    except InputError:
        return False
    return True


def _bound(path: Path, position: int) -> Iterator[tuple[int, Candidate]]:
    """Yield the members below that a CA's constraints bind: all but self-issued CAs (RFC 5280 6.1.3 (b))."""
    for below, member in enumerate(path.members[:position]):
        if below == 0 or not member.self_issued:
            yield below, member


def _names(member: Candidate) -> tuple[x509.GeneralName, ...]:
    names = tuple(member.value(x509.SubjectAlternativeName) or ())
    return names if member.subject is None else (*names, *subject_names(member.subject))


def _form(position: int, extension: x509.Extension[x509.NameConstraints], question: Question) -> Iterator[Check]:
    """Whether the constraints are written as verifiers expect them (RFC 5280 4.2.1.10)."""
    if not extension.critical:
        yield warned(
            catalogue.NAME_CONSTRAINTS,
            position,
            "not critical, so that a verifier may pass over them",
            hint="issue the CA anew with critical name constraints",
        )
    subtrees = _subtrees(extension.value)
    dotted = tuple(one for one in subtrees if isinstance(one, x509.DNSName) and one.value.startswith("."))
    if dotted:
        yield lapsed(catalogue.NAME_CONSTRAINTS, position, "a DNS subtree begins without a dot: {}", question, dotted)


def _compare(
    below: int, authority: Candidate, constraints: x509.NameConstraints, names: tuple[x509.GeneralName, ...]
) -> Check:
    violating = violated_by(constraints, names)
    if not violating:
        text = "{} names inside the constraints of {}"
        return passed(catalogue.NAME_CONSTRAINTS, below, text, len(names), authority)
    text = "{} may not certify {}; {}"
    return failed(catalogue.NAME_CONSTRAINTS, below, text, authority, violating, _show_constraints(constraints))


def _common_name(
    end_entity: Candidate, authority: Candidate, constraints: x509.NameConstraints, question: Question
) -> Iterator[Check]:
    """OpenSSL, and so nginx, constrains a common name that looks like a DNS name; RFC 5280 does not."""
    names = list(end_entity.value(x509.SubjectAlternativeName) or ())
    name = None if end_entity.subject is None else common_name_as_dns(end_entity.subject, names)
    if name is not None and violated_by(constraints, [name]):
        say = failed if question.purpose is Purpose.CLIENT else warned
        text = "OpenSSL takes the common name for {}, which {} may not certify; {}"
        yield say(catalogue.NAME_CONSTRAINTS, 0, text, name, authority, _show_constraints(constraints))


def _subtrees(constraints: x509.NameConstraints) -> list[x509.GeneralName]:
    return [*(constraints.permitted_subtrees or ()), *(constraints.excluded_subtrees or ())]


def _show_constraints(constraints: x509.NameConstraints) -> str:
    words = []
    for word, subtrees in (("permitted", constraints.permitted_subtrees), ("excluded", constraints.excluded_subtrees)):
        if subtrees:
            more = ", ..." if len(subtrees) > _SHOWN else ""
            words.append(f"{word}: {', '.join(show_name(name) for name in subtrees[:_SHOWN])}{more}")
    return "; ".join(words)
