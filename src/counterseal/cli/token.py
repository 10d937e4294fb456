"""``counterseal token``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from counterseal.authority.record_json import token_state, token_to_json
from counterseal.cli.common import Commands, DurationType, Run, columns, common
from counterseal.cli.completions import complete_cas, complete_profiles
from counterseal.cli.dry_run import done_or_rehearsed, dry_run_option, show_dry_run
from counterseal.errors import shell_line
from counterseal.moments import epoch, moment, show_moment

if TYPE_CHECKING:
    from datetime import timedelta

    from counterseal.authority.parts import Authority

EPILOG = """\b
Examples:
  counterseal token laptop-7 --profile client --group staff
  counterseal token db.example.com --profile server --san 10.0.0.5 --expires 1d
  counterseal token list
  counterseal token revoke ID
"""
MAKE = "make"


class TokenGroup(Commands):
    """``counterseal token NAME`` is short for ``counterseal token make NAME``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the word in where none of the group's own stands."""
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = [MAKE, *args]
        return super().parse_args(ctx, args)


@click.group(cls=TokenGroup, epilog=EPILOG, subcommand_metavar="NAME [OPTIONS] | COMMAND [ARGS]...")
def token() -> None:
    """Make a one-time secret for which a machine or a person gets a certificate."""


@token.command(MAKE, epilog="\b\nExamples:\n  counterseal token make laptop-7 --profile client --group staff")
@click.argument("name")
@click.option(
    "--profile",
    shell_complete=complete_profiles,
    required=True,
    help="What it is for: server, client, or a profile of counterseal.toml.",
)
@click.option("--san", multiple=True, help="One more name for the certificate; may be repeated.")
@click.option("--group", help="Group (OU) by which a site can admit it.")
@click.option("--lifetime", type=DurationType(), help="How long the certificate lives.  [default: the profile's]")
@click.option(
    "--issuer",
    shell_complete=complete_cas,
    help="CA that issues it.  [default: the active CA of the profile's purpose]",
)
@click.option("--uses", type=int, default=1, show_default=True, help="How many certificates it gives.")
@click.option("--expires", type=DurationType(), default="1h", show_default=True, help="How long it can be used.")
@dry_run_option
@common
def make(
    run: Run,
    *,
    name: str,
    profile: str,
    san: tuple[str, ...],
    group: str | None,
    lifetime: timedelta | None,
    issuer: str | None,
    uses: int,
    expires: timedelta,
    dry_run: bool,
) -> None:
    """Make a token for the certificate NAME, and show its secret this once.

    Whoever has the secret gets a certificate that says what is given here, for a key of their own: by EST from
    counterseal serve, with the secret as password or bearer token.
    """
    from counterseal.authority.token import Grant, make_token  # noqa: PLC0415 - only here

    grant = Grant(name, profile, san, group, lifetime, uses, expires, issuer)
    with run.authority() as opened, done_or_rehearsed(opened, dry_run=dry_run) as authority:
        record, secret = make_token(authority, grant)
        fingerprint, token = _fingerprint(authority), token_to_json(record, epoch(authority.clock()))
    document = {"token": token, "root_sha256": fingerprint}
    if dry_run:
        until = show_moment(moment(record.expires_at))
        acts = [f"make a token for {_times(uses)} of profile {profile}: {name}, until {until}"]
        show_dry_run(run, acts=acts, document=document)
        return
    lines = [
        f"made a token for {_times(uses)} of profile {profile}: {name}; its secret is shown this once",
        f"  id       {record.id}",
        f"  secret   {secret}",
        f"  until    {show_moment(moment(record.expires_at))}",
        f"  root CA  SHA-256 {fingerprint}",
        f"next, where the certificate is wanted: counterseal enroll {run.service_url()} --token FILE-WITH-THESE-LINES",
    ]
    run.show({**document, "secret": secret}, "\n".join(lines))


@token.command("list", epilog="\b\nExamples:\n  counterseal token list\n  counterseal token list --json")
@common
def list_tokens(run: Run) -> None:
    """List the tokens, newest first; a secret is never shown again."""
    from counterseal.store.tokens import tokens  # noqa: PLC0415 - only here

    with run.authority() as authority:
        records, at = tokens(authority.store), epoch(authority.clock())
    rows = [
        (
            one.id,
            one.name,
            one.profile,
            token_state(one, at),
            f"{one.used} of {one.uses}",
            f"{moment(one.expires_at):%Y-%m-%d %H:%M}",
            one.created_by,
        )
        for one in records
    ]
    titles = ("ID", "NAME", "PROFILE", "STATE", "USED", "UNTIL (UTC)", "BY")
    run.show({"tokens": [token_to_json(one, at) for one in records]}, columns(rows, titles=titles))


@token.command("revoke", epilog="\b\nExamples:\n  counterseal token revoke ID")
@click.argument("token_id", metavar="ID")
@dry_run_option
@common
def revoke(run: Run, *, token_id: str, dry_run: bool) -> None:
    """Let a token be used no more; certificates that it gave stay."""
    from counterseal.store.tokens import revoke_token  # noqa: PLC0415 - only here

    with run.authority() as opened, done_or_rehearsed(opened, dry_run=dry_run) as authority:
        record = revoke_token(authority.store, token_id, epoch(authority.clock()))
    document = {"revoked": token_id, "used": record.used}
    if dry_run:
        show_dry_run(run, acts=[f"revoke token {token_id} of {record.name}"], document=document)
        return
    text = f"revoked token {token_id} of {record.name}"
    if record.used:
        text += f"; {_times(record.used)} that it gave stay valid: {shell_line('counterseal', 'revoke', record.name)}"
    run.show(document, text)


def _fingerprint(authority: Authority) -> str:
    """Return the SHA-256 of the root's certificate, by which a machine can know this CA without having it."""
    from hashlib import sha256  # noqa: PLC0415 - only when a token is made

    from counterseal.authority.parts import ROOT  # noqa: PLC0415 - same

    return sha256(authority.store.ca(ROOT).certificate).hexdigest()


def _times(number: int) -> str:
    return "one certificate" if number == 1 else f"{number} certificates"
