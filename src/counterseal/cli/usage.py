"""A command line that was mistyped, in our words: what is wrong with which value, and what was probably meant."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

import click
from click.exceptions import NoSuchCommand

from counterseal.errors import shell_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TOO_SHORT = 2
"""So many letters stand in many words."""
_NUMBER = re.compile(r"is not a valid (integer|float)(?: range)?")
_EXTRA_NUMBER = re.compile(r"unexpected extra argument \((\d{1,5})\)")
_EXTRA = re.compile(r"unexpected extra arguments? \(([^)]+)\)")
OF_EACH_COMMAND = ("--home", "--passphrase-file", "--json")
COMMANDS_ELSEWHERE = {
    **dict.fromkeys(
        ("issue", "create", "gen", "generate", "new", "certificate create", "ca certificate", "ca issue"),
        "counterseal server NAME, counterseal client NAME",
    ),
    **dict.fromkeys(("root", "fingerprint", "roots"), "counterseal ca show, counterseal ca export"),
    **dict.fromkeys(("install", "trust"), "counterseal ca export, counterseal export NAME --help-device DEVICE"),
    **dict.fromkeys(("x509", "req", "certificate", "cert", "decode", "view"), "counterseal inspect FILE"),
    **dict.fromkeys(("s_client", "connect"), "counterseal handshake HOST"),
    **dict.fromkeys(("gencrl", "gen-crl"), "counterseal crl"),
    **dict.fromkeys(("pkcs12", "p12"), "counterseal export NAME --format p12"),
    **dict.fromkeys(("gen-req", "genrsa", "genpkey"), "counterseal client NAME, counterseal server NAME"),
    **dict.fromkeys(("init-pki", "ca init", "ca create", "ca new"), "counterseal init, counterseal ca add NAME"),
    **dict.fromkeys(("certificate sign", "ca sign"), "counterseal sign FILE.csr"),
    **dict.fromkeys(("certificate verify", "certificate lint"), "counterseal verify FILE, counterseal lint FILE"),
    **dict.fromkeys(("nginx test", "nginx reload"), "counterseal nginx deploy, which tests, reloads and proves"),
    "build-ca": "counterseal init",
    "build-client-full": "counterseal client NAME",
    "build-server-full": "counterseal server NAME",
    "sign-req": "counterseal sign FILE.csr",
    "deploy": "counterseal nginx deploy",
    "render": "counterseal nginx render",
    "rollback": "counterseal nginx rollback",
    "status": "counterseal doctor, counterseal nginx status",
    "help": "counterseal --help",
    "version": "counterseal --version",
}
"""What people type who come from openssl, easy-rsa, step, cfssl or mkcert; of two words the first may be ours."""
OPTIONS_ELSEWHERE = {
    **dict.fromkeys(("--not-after", "--days", "--validity", "--ttl", "--expiry", "--duration"), "--lifetime"),
    **dict.fromkeys(("--ou", "--role"), "--group"),
    **dict.fromkeys(("--dns", "--ip", "--name", "--names", "--hostname", "--altname"), "--san"),
    **dict.fromkeys(("--password", "--pass", "--passout", "--passin"), "--password-file"),
    **dict.fromkeys(("--passphrase", "--provisioner-password-file"), "--passphrase-file"),
    **dict.fromkeys(("-o", "--output", "--outdir", "--directory"), "--out"),
    **dict.fromkeys(("--kty", "--key-type", "--algo", "--curve"), "--key"),
    **dict.fromkeys(("-f", "--overwrite", "--yes", "-y"), "--force"),
    **dict.fromkeys(("--ca", "--signer"), "--issuer"),
    **dict.fromkeys(("--root", "--cacert", "--ca-file"), "--trust"),
    **dict.fromkeys(("--servername", "--server-name"), "--sni"),
    **dict.fromkeys(("--name-constraint", "--name-constraints", "--permitted"), "--permit"),
}
FOR_ONE_MORE_WORD = {"server": "--san", "sign": "--san", "nginx rollback": "--to"}
"""The option that a word behind the last argument was probably meant for."""
FOR_EACH_WORD = ("client", "export", "rekey", "renew", "revoke", "show", "unrevoke")
"""Commands that people give several names."""

VALUES_ELSEWHERE = {"pfx": "p12", "jks": "java", "keystore": "java", "k8s": "kubernetes"}


def usage_lines(error: click.UsageError) -> Iterator[str]:
    """Yield the ``error:`` and ``hint:`` lines for a mistyped command line."""
    help_path = f"{error.ctx.command_path} --help" if error.ctx is not None else "counterseal --help"
    if isinstance(error, click.NoSuchOption):
        yield f"error: no such option: {error.option_name!r}"
        meant = _behind_the_command(error) or _option_elsewhere(error) or _meant(error.possibilities)
        yield f"hint: {meant or f'see: {help_path}'}"
    elif isinstance(error, NoSuchCommand):
        yield f"error: no such command: {error.command_name!r}"
        meant = _command_elsewhere(error) or _near_elsewhere(error) or _meant(error.possibilities)
        yield f"hint: {meant or f'see: {help_path}'}"
    elif isinstance(error, click.MissingParameter):
        what = error.param.make_metavar(error.ctx) if isinstance(error.param, click.Argument) and error.ctx else None
        yield f"error: missing: {what or error.param_hint or (error.param.opts[0] if error.param else 'an argument')}"
        yield f"hint: {_as_in(error) or f'see: {help_path}'}"
    else:
        message, _, hint = _NUMBER.sub(_what_is_wanted, error.format_message()).partition("\nhint: ")
        yield f"error: {message[:1].lower()}{message[1:].rstrip('.')}"
        meant = hint or _choice_meant(error) or _port_meant(error) or _one_more_word(error) or _value_as_in(error)
        if meant:
            yield f"hint: {meant}"


def context_of(program: click.Command, words: Sequence[str]) -> click.Context:
    """Return the context of the command that the first words name."""
    context = click.Context(program, info_name="counterseal")
    for word in words:
        found = context.command.get_command(context, word) if isinstance(context.command, click.Group) else None
        if found is None:
            break
        context = click.Context(found, info_name=word, parent=context)
    return context


def _behind_the_command(error: click.NoSuchOption) -> str | None:
    """Return where an option stands that each command has and no group, such as ``counterseal --home DIR list``."""
    if error.ctx is None or not isinstance(error.ctx.command, click.Group) or error.option_name not in OF_EACH_COMMAND:
        return None
    return f"it stands behind the command: {error.ctx.command_path} COMMAND {error.option_name}"


def _option_elsewhere(error: click.NoSuchOption) -> str | None:
    """Return what a word of other tools is called in this command, if it has that."""
    ours = OPTIONS_ELSEWHERE.get(error.option_name)
    known = {name for param in error.ctx.command.params for name in param.opts} if error.ctx else set()
    return f"here it is {ours}" if ours in known else None


def _command_elsewhere(error: NoSuchCommand) -> str | None:
    """Return what other tools' command is here, of two words where the first is a group of ours or of theirs."""
    if error.ctx is None:
        return None
    group = error.ctx.command_path.partition(" ")[2]
    following = next(iter(error.ctx.args), "")
    words = f"{group} {error.command_name}".strip()
    ours = (COMMANDS_ELSEWHERE.get(f"{words} {following}") if following else None) or COMMANDS_ELSEWHERE.get(words)
    return f"here it is: {ours}" if ours else None


def _near_elsewhere(error: NoSuchCommand) -> str | None:
    """Return ours for a word of the table that was mistyped at the top, nearer than any command of ours."""
    if error.ctx is None or error.ctx.parent is not None:
        return None
    known = [word for word in COMMANDS_ELSEWHERE if " " not in word]
    found = difflib.get_close_matches(error.command_name, [*known, *(error.possibilities or ())], n=1)
    nearest = next(iter(found), "")
    return f"here it is: {COMMANDS_ELSEWHERE[nearest]}" if nearest in COMMANDS_ELSEWHERE else None


def _what_is_wanted(match: re.Match[str]) -> str:
    return "is not a whole number" if match[1] == "integer" else "is not a number"


def _port_meant(error: click.UsageError) -> str | None:
    """Return how a port is written that stands by itself, as behind telnet's and nc's hosts."""
    extra = _EXTRA_NUMBER.search(error.message)
    wants = [param.metavar or "" for param in error.ctx.command.params] if error.ctx else []
    return (
        f"a port stands behind a colon: HOST:{extra[1]}" if extra and any("[:PORT]" in one for one in wants) else None
    )


def _one_more_word(error: click.UsageError) -> str | None:
    """Return the command line with the option that the words too many were meant for."""
    extra = _EXTRA.search(error.message)
    path = error.ctx.command_path.partition(" ")[2] if error.ctx else ""
    if not extra:
        return None
    words, option = extra[1].split(), FOR_ONE_MORE_WORD.get(path)
    if option:
        return f"write {' '.join(f'{option} {word}' for word in words)}"
    if path not in FOR_EACH_WORD:
        return None
    many = ", or for many: counterseal client --batch FILE.csv" if path == "client" else ""
    return f"one at a time: {shell_line('counterseal', path, words[0])}{many}"


def _value_as_in(error: click.UsageError) -> str | None:
    """Return what stands where an argument was wrong, or where an option had no value."""
    if isinstance(error, click.BadParameter) and isinstance(error.param, click.Argument):
        return _as_in(error)
    if not isinstance(error, click.BadOptionUsage) or error.ctx is None or "requires an argument" not in error.message:
        return None
    found = next((one for one in error.ctx.command.params if error.option_name in one.opts), None)
    if found is None:
        return None
    return _example(error.ctx, error.option_name) or f"write {error.option_name} {found.make_metavar(error.ctx)}"


def _as_in(error: click.BadParameter) -> str | None:
    """Return the command's first example that has what is missing; of an argument, every example has it."""
    if error.ctx is None or error.param is None:
        return None
    return _example(error.ctx, error.param.opts[0] if isinstance(error.param, click.Option) else "")


def _example(context: click.Context, wanted: str) -> str | None:
    lines = [line.strip() for line in (context.command.epilog or "").splitlines() if line.startswith("  counterseal")]
    found = next((line.partition("    ")[0] for line in lines if wanted in f"{line} "), None)
    return f"as in: {found}" if found else None


def _choice_meant(error: click.UsageError) -> str:
    """Return which of an option's words was probably meant; empty when none is near, or it was another mistake."""
    kind = error.param.type if isinstance(error, click.BadParameter) and error.param else None
    if not isinstance(kind, click.Choice):
        return ""
    given = error.message.removeprefix("'").partition("' is not one of ")[0]
    if given.replace(".", "").isdecimal():  # another number, as of a version, is no slip of the hand
        return ""
    ours = VALUES_ELSEWHERE.get(given.lower())
    if ours in kind.choices:
        return f"here it is {ours}"
    choices = [str(choice) for choice in kind.choices]
    having = [choice for choice in choices if len(given) > _TOO_SHORT and given.lower() in choice]
    return _meant(having or difflib.get_close_matches(given.lower(), choices, n=1)) or ""


def _meant(possibilities: Sequence[str] | None) -> str | None:
    return f"did you mean {' or '.join(map(repr, possibilities))}?" if possibilities else None
