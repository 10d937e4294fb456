"""``counterseal nginx lint``: what is wrong in an nginx configuration though nginx takes it."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from counterseal.cli.common import Run, common
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.cli.exit_codes import FINDINGS
from counterseal.cli.findings import fail_on_option
from counterseal.cli.terminal import terminal_width
from counterseal.errors import hint_for
from counterseal.files import read_whole
from counterseal.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from counterseal.compose.linting import Linting
    from counterseal.nginx.lint.rule import Rule

EPILOG = """\b
Examples:
  counterseal nginx lint                               what the installed nginx reads
  counterseal nginx lint /etc/nginx/sites-enabled/panel
  nginx -T | counterseal nginx lint -                  also from another machine
  counterseal nginx lint --fix | patch -d / -p1        see first, then change
  counterseal nginx lint --fix --write --accept mtls-cross-ca-no-sni
  counterseal nginx lint --explain mtls-tickets-enabled

A comment "# counterseal: ignore[CODE] reason" at the end of a line, or alone above it, silences CODE there.
Such a comment that is of no use, or gives no reason, is a finding of severity info itself.
Exit codes: 0 nothing at or above --fail-on, 2 unreadable configuration, 3 findings.
"""


@click.command(epilog=EPILOG)
@click.argument("path", required=False, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--nginx-version", metavar="VERSION", help="1.28.0, or a package 1.22.1-9+deb12u9.  [default: installed]")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where relative paths start from.  [default: the directory of PATH]",
)
@click.option("--files/--no-files", default=True, help="Look at the certificates, keys and CRLs that are named.")
@fail_on_option
@click.option(
    "--format",
    "layout",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    show_default=True,
    help="How the findings are printed.",
)
@click.option(
    "--fix", is_flag=True, help="Print a patch with what can be mended as it is; suggestions as its comments."
)
@click.option("--write", is_flag=True, help="With --fix: change the files; of suggestions only what --accept names.")
@click.option("--accept", metavar="CODE", multiple=True, help="With --fix: take the suggestions of this rule, too.")
@dry_run_option
@click.option("--list-rules", is_flag=True, help="List the rules.")
@click.option("--explain", metavar="CODE", help="Say what a rule is about, and what a real nginx did.")
@common
def lint(
    run: Run,
    path: Path | None,
    *,
    nginx_version: str | None,
    directory: Path | None,
    files: bool,
    fail_on: str,
    layout: str,
    fix: bool,
    write: bool,
    accept: tuple[str, ...],
    dry_run: bool,
    list_rules: bool,
    explain: str | None,
) -> int:
    """Find mistakes in mutual TLS that nginx accepts silently.

    PATH is a main configuration, its directory, one file of it, or - for standard input.
    """
    if list_rules or explain:
        return _show_rules(run, explain)
    if write and (not fix or path == Path("-")):
        raise click.UsageError("--write goes with --fix and files, not with standard input")
    if accept and not fix:
        raise click.UsageError("--accept goes with --fix: it says whose suggestions are taken")
    if dry_run and not write:
        raise click.UsageError("--dry-run goes with --fix --write: without --write nothing is changed")
    from counterseal.compose.linting import lint_configuration  # noqa: PLC0415 - not needed to list rules

    given = read_whole(sys.stdin.buffer, "standard input") if path == Path("-") else None
    text = given.decode("utf-8", "surrogateescape") if given is not None else None
    gc.disable()  # what is read stays to the end, and cycles are made by nothing: the collector would find no garbage
    linting = lint_configuration(path, text=text, version=nginx_version, directory=directory, with_files=files)
    if linting.is_fragment:
        run.say(f"{linting.name} is a part of a configuration: what the files around it say is not known")
    if fix:
        return _fix(run, linting, _known_codes(accept), write=write, dry_run=dry_run)
    _show(run, linting, "json" if run.json else layout)
    return FINDINGS if linting.result.at_or_above(Severity[fail_on.upper()]) else 0


def _show(run: Run, linting: Linting, layout: str) -> None:
    from counterseal import __version__  # noqa: PLC0415 - loaded for the layout that is asked for
    from counterseal.nginx.lint.catalogue import RULES  # noqa: PLC0415 - same
    from counterseal.nginx.lint.output import document, github, sarif, text  # noqa: PLC0415 - same

    result = linting.result
    as_json = Run(run.home, run.passphrase_file, json=True)
    if layout == "json":
        as_json.show({"nginx_version": linting.version, **document.result_to_json(result)}, "")
    elif layout == "sarif":
        click.echo(sarif.write_sarif(result, RULES, tool_version=__version__))
    elif layout == "github":
        click.echo(github.to_github(result))
    else:
        width = min(terminal_width() or text.WIDTH, text.WIDTH)
        click.echo(text.show_result(result, linting.texts, width=width))


def _fix(run: Run, linting: Linting, accepted: frozenset[str], *, write: bool, dry_run: bool) -> int:
    from counterseal.compose.linting import preview_changes, write_changes  # noqa: PLC0415 - only to mend
    from counterseal.nginx.lint.edit import apply_edits  # noqa: PLC0415 - same
    from counterseal.nginx.lint.output import fixes  # noqa: PLC0415 - same
    from counterseal.nginx.lint.patch import HIDDEN, show_patch  # noqa: PLC0415 - same

    left = fixes.left_by(linting.result, accepted)
    if write:
        fixes.refuse_placeholders(left, accepted)
    changed = apply_edits(linting.texts, linting.result.edits(accepted))
    if dry_run:
        show_dry_run(run, acts=[] if changed else ["do nothing"], files=preview_changes(changed))
        return 0
    if write:
        write_changes(changed)
    patch = show_patch(linting.texts, changed)
    document = {"patch": patch, "written": sorted(changed) if write else [], "left": len(left)}
    document["suggestions"] = fixes.left_to_json(left, linting.texts)
    shown = "" if write else fixes.show_left(left, linting.texts)
    if patch or shown or run.json:
        run.show(document, f"{patch}{shown}".rstrip("\n"))
    if HIDDEN in patch and not write:
        run.say(
            f"a private key stands on a line that changes: {HIDDEN}\nhint: no tool applies this; --fix --write does"
        )
    if not changed:
        run.say("nothing that can be mended as it is")
    if left:
        run.say(fixes.count_left(left))
    for one in left if write else ():
        run.say(f"left to you: {one.place}: {one.finding.message} [{one.rule.code}]")
    return 0


def _known_codes(codes: tuple[str, ...]) -> frozenset[str]:
    from counterseal.nginx.lint.catalogue import RULES  # noqa: PLC0415 - only where codes are given

    by_code = {rule.code: rule for rule in RULES}
    return frozenset(_find_rule(by_code, code).code for code in codes)


def _show_rules(run: Run, code: str | None) -> int:
    from counterseal.nginx.lint.catalogue import RULES  # noqa: PLC0415 - loaded when a person asks
    from counterseal.nginx.lint.output.document import rule_to_json  # noqa: PLC0415 - same
    from counterseal.nginx.lint.output.text import explain_rule, show_rules  # noqa: PLC0415 - same

    by_code = {rule.code: rule for rule in RULES}
    if code is None:
        run.show({"rules": [rule_to_json(rule) for rule in RULES]}, show_rules(RULES))
    else:
        rule = _find_rule(by_code, code)
        run.show({"rule": rule_to_json(rule)}, explain_rule(rule))
    return 0


def _find_rule(rules: Mapping[str, Rule], code: str) -> Rule:
    if code not in rules:
        hint = hint_for(code, rules, "see: counterseal nginx lint --list-rules")
        raise click.UsageError(f"no such rule: {code!r}\nhint: {hint}")
    return rules[code]
