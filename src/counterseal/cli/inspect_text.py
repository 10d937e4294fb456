"""Inspected files as a person reads them: a few lines for each thing, a table for many certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.cli.common import columns
from counterseal.cli.findings import finding_lines, worst_of
from counterseal.cli.inspect_rows import left_of, rows_of
from counterseal.pki.describe.certificate import CertificateFacts
from counterseal.pki.shape import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from counterseal.authority.inspected import InspectedFile, Thing
    from counterseal.pki.describe.extensions import ExtensionFacts

MOST_IN_FULL = 6
_LABEL, _OCTETS_SHOWN = 12, 32


def files_to_text(files: Iterable[InspectedFile], *, full: bool) -> str:
    """Return all files; one with many certificates as a table, unless they are wanted in ``full``."""
    return "\n\n".join("\n".join(_file(file, full=full)) for file in files)


def _file(file: InspectedFile, *, full: bool) -> Iterator[str]:
    if file.arrangement or file.findings:
        yield f"{file.name}: {file.arrangement or 'one thing'}"
        yield from finding_lines(file.findings)
        yield ""
    certificates = [thing for thing in file.things if thing.kind is Kind.CERTIFICATE]
    shown = list(file.things)
    if len(certificates) > MOST_IN_FULL and not full:
        shown = [thing for thing in shown if thing.kind is not Kind.CERTIFICATE]
        yield _table(certificates)
        yield f"--full shows the {len(certificates)} certificates in full, --json as data"
        yield from [""] if shown else []
    for number, thing in enumerate(shown):
        yield from [""] if number else []
        yield from _thing(thing)


def _table(things: Sequence[Thing]) -> str:
    rows = []
    for number, thing in enumerate(things, 1):
        worst, facts = worst_of(thing.findings), thing.facts
        if isinstance(facts, CertificateFacts):
            left = left_of(facts.seconds_left)
            rows.append((str(number), f"{facts.not_after:%Y-%m-%d}", left, facts.key.kind, worst, facts.title))
        else:
            rows.append((str(number), "", "", "", worst, "cannot be read"))
    return columns(rows, titles=("#", "UNTIL", "LEFT", "KEY", "FINDINGS", "WHAT"))


def _thing(thing: Thing) -> Iterator[str]:
    line = thing.piece.line if thing.piece and "#" in thing.place else None
    yield f"{thing.place}{f' (line {line})' if line else ''}: {_title(thing)}"
    for label, value in rows_of(thing):
        yield f"  {label:<{_LABEL}} {value}"
    extensions: tuple[ExtensionFacts, ...] = getattr(thing.facts, "extensions", ())
    if extensions:
        yield "  extensions"
        yield from _extensions(extensions)
    told = thing.piece.problem if thing.piece and thing.kind is Kind.UNKNOWN else None
    yield from finding_lines(finding for finding in thing.findings if finding.message != told)


def _title(thing: Thing) -> str:
    if isinstance(thing.facts, CertificateFacts):
        return thing.facts.title
    return str(thing.piece.problem) if thing.piece and thing.kind is Kind.UNKNOWN else thing.kind.words


def _extensions(extensions: Sequence[ExtensionFacts]) -> Iterator[str]:
    names = [f"{one.name}{' (critical)' if one.critical else ''}" for one in extensions]
    width = max(map(len, names))
    for name, extension in zip(names, extensions, strict=True):
        for number, line in enumerate((*extension.value, *_octets(extension))):
            yield f"    {'' if number else name:<{width}}  {line}"


def _octets(extension: ExtensionFacts) -> Iterator[str]:
    if extension.der:
        octets = bytes.fromhex(extension.der)
        more = f" and {len(octets) - _OCTETS_SHOWN} more" if len(octets) > _OCTETS_SHOWN else ""
        yield f"{octets[:_OCTETS_SHOWN].hex(' ')}{more}"
