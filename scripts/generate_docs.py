"""Write the pages of docs/ that are read from the source: errors.md, commands.md, the rules of lint, the schemas.

usage: generate_docs.py [--check]. With --check nothing is written, and the exit code is 1 when a page is out of date.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import defaultdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from counterseal import __version__
from counterseal.nginx.lint.catalogue import RULES
from counterseal.nginx.lint.fix import Applicability
from counterseal.pki.lint.catalogue import catalogue
from error_codes import ErrorUse, read_kinds, read_uses
from json_schemas import write_schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.rule import Rule

DOCS = Path(__file__).resolve().parent.parent / "docs"
WIDTH = 100
NOTE = "<!-- written by scripts/generate_docs.py: change the source, then run it -->\n"


def write_errors() -> str:
    """Return docs/errors.md: every error code, by kind, with what it says."""
    by_kind: dict[str, dict[str, list[ErrorUse]]] = defaultdict(lambda: defaultdict(list))
    for use in read_uses():
        if use.code is not None:
            by_kind[use.kind][use.code].append(use)
    lines = [
        "# Errors",
        "",
        NOTE,
        "Every error has a code that does not change between versions, a message with the value that failed, and where",
        "something can be done about it a hint. Under `--json` a command that fails with an error prints them on",
        "stdout, too (one that ctrl-C ends, and a group without a command, which shows its help, print nothing there):",
        '`{"version": 1, "error": {"code", "message", "hint", …}}` ([JSON Schema](schemas/error.json)). Scripts look',
        "at the code, never at the message; that of a command line that is wrong is `command.usage`.",
        "A word in `<angle brackets>` stands for the value.",
    ]
    for kind, docstring in read_kinds().items():
        if by_kind[kind]:
            lines += ["", f"## {kind}", "", docstring, "", "| code | message | hint |", "|---|---|---|"]
            lines += [_error_row(code, uses) for code, uses in sorted(by_kind[kind].items())]
    return "\n".join(lines) + "\n"


def _error_row(code: str, uses: list[ErrorUse]) -> str:
    messages = "<br>".join(_cell(text) for text in dict.fromkeys(use.message for use in uses))
    hints = "<br>".join(_cell(text) for text in dict.fromkeys(use.hint for use in uses) if text)
    return f"| `{code}` | {messages} | {hints} |"


def _cell(text: str) -> str:
    flat = " ".join(text.split())
    for character, escaped in (("\\", "\\\\"), ("|", "\\|"), ("<", "\\<"), (">", "\\>"), ("*", "\\*"), ("_", "\\_")):
        flat = flat.replace(character, escaped)
    return flat


def find_commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield every command as (``counterseal nginx render``, the command, its context), depth first."""
    if importlib.util.find_spec("counterseal.cli") is None:
        return
    main: click.Command = importlib.import_module("counterseal.cli").main
    yield from _walk(main, click.Context(main, info_name="counterseal", terminal_width=WIDTH, **main.context_settings))


def _walk(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from _walk(inner, click.Context(inner, info_name=name, parent=context))


def write_commands() -> str:
    """Return docs/commands.md: the help of every command, word for word."""
    commands = list(find_commands())
    lines = ["# Commands", "", NOTE, "What `--help` says, for every command.", ""]
    lines += [f"* [`{path}`](#{path.replace(' ', '-')})" for path, _, _ in commands]
    for path, command, context in commands:
        lines += ["", f"## {path}", "", "```text", command.get_help(context).rstrip(), "```"]
    return "\n".join(lines) + "\n"


def write_nginx_rules() -> str:
    """Return docs/nginx-lint.md: every rule of ``nginx lint``, by package."""
    head = (Path(__file__).parent / "nginx_lint_introduction.md").read_text()
    lines = [head.replace("\n", f"\n\n{NOTE}", 1).rstrip()]
    for prefix, rules in groupby(RULES, key=lambda rule: rule.code.partition("-")[0]):
        lines += ["", f"## {prefix}"]
        for rule in rules:
            affected = "; ".join(map(str, rule.affected)) or "every version"
            lines += ["", f"### {rule.code}", "", f"**{rule.severity.name.lower()}**, nginx {affected}. {rule.summary}"]
            lines += ["", f"* Seen: {rule.evidence}", f"* Instead: {rule.remedy}", f"* Fix: {_fixes(rule)}"]
            lines += [f"* See: <{rule.reference}>"]
    return "\n".join(lines) + "\n"


def _fixes(rule: Rule) -> str:
    """Return the kinds of fix that a rule has."""
    kinds = [kind for kind in rule.fixes if kind != Applicability.COMMAND]
    return ", or ".join([*kinds, *([f"mended by a command: `{rule.command}`"] if rule.command else [])])


def write_lint_rules() -> str:
    """Return docs/lint-rules.md: every rule of ``lint``, by what it judges, with the codes of its findings."""
    head = (Path(__file__).parent / "lint_rules_introduction.md").read_text()
    lines = [head.replace("\n", f"\n\n{NOTE}", 1).rstrip()]
    for judges, rules in groupby(catalogue(), key=lambda rule: rule.judges):
        lines += ["", f"## {judges}", "", "| rule | what must hold | codes |", "|---|---|---|"]
        lines += [f"| `{one.name}` | {one.holds} | {' '.join(f'`{code}`' for code in one.codes)} |" for one in rules]
    return "\n".join(lines) + "\n"


def write_openapi() -> str:
    """Return docs/openapi.json: the API, as the service describes it."""
    from counterseal.protocols.api.face import OPERATIONS  # noqa: PLC0415 - on Starlette, which a plain wheel has not
    from counterseal.protocols.api.openapi import openapi  # noqa: PLC0415 - same

    return json.dumps(openapi(OPERATIONS, version=__version__), indent=1, ensure_ascii=False) + "\n"


def write_pages() -> dict[Path, str]:
    """Return every generated page with its text; commands.md only when there are commands."""
    pages = {
        DOCS / "errors.md": write_errors(),
        DOCS / "nginx-lint.md": write_nginx_rules(),
        DOCS / "lint-rules.md": write_lint_rules(),
        DOCS / "openapi.json": write_openapi(),
        **{DOCS / "schemas" / f"{command}.json": text for command, text in write_schemas().items()},
    }
    if any(find_commands()):
        pages[DOCS / "commands.md"] = write_commands()
    return pages


def main() -> int:
    """Write the pages, or with ``--check`` compare them with what stands there."""
    check = "--check" in sys.argv[1:]
    stale = [(path, text) for path, text in write_pages().items() if not path.exists() or path.read_text() != text]
    for path, text in stale:
        if check:
            print(f"out of date: docs/{path.relative_to(DOCS)}; run: .venv/bin/python scripts/generate_docs.py")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            print(f"wrote docs/{path.relative_to(DOCS)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
