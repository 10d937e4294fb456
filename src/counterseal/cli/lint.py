"""``counterseal lint``: certificates, CRLs and CSRs judged by the rules that guard issuance, and by pkilint."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from counterseal.cli.common import FILE, Run, columns, common
from counterseal.cli.exit_codes import FINDINGS
from counterseal.cli.findings import fail_on_option, finding_lines
from counterseal.findings import Finding, Severity
from counterseal.pki.shown import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterseal.authority.inspected import InspectedFile, Thing

EPILOG = """\b
Examples:
  counterseal lint server.fullchain.pem
  counterseal lint alice.cert.pem ca.pem revoked.crl.pem       under the CA that issued them
  counterseal lint request.csr --fail-on high
  counterseal lint --list-rules

Exit codes: 0 nothing at or above --fail-on, 1 a file holds nothing that is known, 3 findings.
Files are recognised by content. Issuers are taken from the files and from the CA of this home. pkilint gives a second
opinion where it is installed: pip install 'counterseal[lint]'.
"""


@click.command(epilog=EPILOG)
@click.argument("files", metavar="FILE...", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@fail_on_option
@click.option("--second-opinion/--no-second-opinion", default=True, help="Ask pkilint too, where it is installed.")
@click.option(
    "--password-file",
    type=FILE,
    help="Password of encrypted keys and PKCS#12, in a file's first line.  [default: asked for on a terminal]",
)
@click.option("--list-rules", is_flag=True, help="List the rules.")
@common
def lint(
    run: Run,
    *,
    files: tuple[Path, ...],
    fail_on: str,
    second_opinion: bool,
    password_file: Path | None,
    list_rules: bool,
) -> int:
    """Judge certificates, CRLs and CSRs, also of others.

    By the same rules that every certificate passes before a CA key signs it, and more about dates, signatures and
    encodings. docs/lint-rules.md says what each rule is about.
    """
    if list_rules:
        return _show_rules(run)
    if not files:
        raise click.UsageError("Missing argument 'FILE...'.")
    found, asked = _inspect(run, files, password_file, second_opinion=second_opinion)
    listed = [(file.name, place, finding) for file in found for place, finding in _findings(file)]
    documents = [_document(*one) for one in listed]
    run.show(
        {"findings": documents, "second_opinion": "pkilint" if asked else None},
        _text(found, listed, _opinion(asked, second_opinion=second_opinion)),
    )
    if any(finding.severity >= Severity[fail_on.upper()] for _, _, finding in listed):
        return FINDINGS
    return 0 if all(file.is_readable for file in found) else 1


def _inspect(
    run: Run, files: Sequence[Path], password_file: Path | None, *, second_opinion: bool
) -> tuple[tuple[InspectedFile, ...], bool]:
    from counterseal.authority import second_opinion as pkilint  # noqa: PLC0415 - not needed to list rules
    from counterseal.authority.inspect import inspect  # noqa: PLC0415 - same
    from counterseal.cli.given import given_files  # noqa: PLC0415 - same
    from counterseal.cli.inspect import ask_password  # noqa: PLC0415 - same
    from counterseal.cli.known_home import known_home  # noqa: PLC0415 - same
    from counterseal.compose.place import now  # noqa: PLC0415 - same

    asked = second_opinion and pkilint.is_installed()
    with known_home(run) as cas:
        found = inspect(
            given_files(files),
            at=now(),
            password=partial(ask_password, password_file),
            trusted=cas.certificates,
            opinion=pkilint.second_opinion if asked else None,
        )
    return found, asked


def _findings(file: InspectedFile) -> Iterator[tuple[str, Finding]]:
    yield from ((file.name, finding) for finding in file.findings)
    for thing in file.things:
        yield from ((thing.place, finding) for finding in thing.findings)


def _document(name: str, place: str, finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.name.lower(),
        "file": name,
        "place": place,
        "where": finding.where,
        "message": finding.message,
        "hint": finding.hint,
    }


def _opinion(asked: bool, *, second_opinion: bool) -> str:  # noqa: FBT001 - said, not switched
    if asked:
        return "pkilint was asked, too"
    return "pkilint is not installed" if second_opinion else "pkilint was not asked"


def _text(found: Sequence[InspectedFile], listed: Sequence[tuple[str, str, Finding]], opinion: str) -> str:
    lines, titles = [], {thing.place: _title(thing) for file in found for thing in file.things}
    findings: dict[str, list[Finding]] = {}
    for _, place, finding in listed:
        findings.setdefault(place, []).append(finding)
    for place, own in findings.items():
        lines.append(f"{place}: {titles[place]}" if titles.get(place) else place)
        lines += finding_lines(own)
    total = counted(len(listed), "finding") if listed else "no findings"
    lines.append(f"{total} in {counted(len(titles), 'thing')}; {opinion}")
    return "\n".join(lines)


def _title(thing: Thing) -> str:
    return str(getattr(thing.facts, "title", thing.kind.words))


def _show_rules(run: Run) -> int:
    from counterseal.pki.lint.catalogue import catalogue  # noqa: PLC0415 - loads the rules of all kinds

    rules = catalogue()
    documents = [
        {"rule": one.name, "judges": one.judges, "holds": one.holds, "codes": list(one.codes)} for one in rules
    ]
    text = columns([(one.judges, one.name, one.holds) for one in rules], titles=("JUDGES", "RULE", "WHAT MUST HOLD"))
    run.show({"rules": documents}, text)
    return 0
