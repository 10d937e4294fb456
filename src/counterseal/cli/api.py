"""``counterseal api``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from counterseal.cli.common import Commands, DurationType, Run, columns, common
from counterseal.cli.completions import complete_profiles
from counterseal.cli.dry_run import done_or_rehearsed, dry_run_option, show_dry_run
from counterseal.moments import epoch, moment, show_moment

if TYPE_CHECKING:
    from datetime import timedelta

    from counterseal.store.api_tokens import ApiToken

ROLES = ("viewer", "operator", "admin")
EPILOG = """\b
Examples:
  counterseal api token add pipeline --role operator --profile server --expires 30d
  counterseal api token add auditor --role viewer --from 10.0.0.0/8
  counterseal api token list
  counterseal api token revoke ID
"""


@click.group(cls=Commands, epilog=EPILOG)
def api() -> None:
    """Tokens for the API, for who has no client certificate."""


@api.group(epilog=EPILOG)
def token() -> None:
    """Tokens that open the API of counterseal serve, with a role each."""


@token.command("add", epilog="\b\nExamples:\n  counterseal api token add pipeline --role operator --profile server")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What it may do.")
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    shell_complete=complete_profiles,
    help="What it may issue, renew and revoke; may be repeated.  [default: every profile]",
)
@click.option("--from", "networks", multiple=True, help="Only from this address or network; may be repeated.")
@click.option("--expires", type=DurationType(), default="90d", show_default=True, help="How long it can be used.")
@dry_run_option
@common
def add(
    run: Run,
    *,
    name: str,
    role: str,
    profiles: tuple[str, ...],
    networks: tuple[str, ...],
    expires: timedelta,
    dry_run: bool,
) -> None:
    """Make a token for whoever NAME is, and show its secret this once.

    It is sent as "Authorization: Bearer ..." to counterseal serve.
    """
    from counterseal.authority.record_json import api_token_to_json  # noqa: PLC0415 - what the other commands do not need
    from counterseal.protocols.api.bearer import TokenTerms, new_api_token  # noqa: PLC0415 - same
    from counterseal.protocols.api.rules import Grant, Role  # noqa: PLC0415 - same
    from counterseal.store.api_tokens import add_api_token  # noqa: PLC0415 - same

    terms = TokenTerms(name, Grant(Role(role), profiles or None), expires, networks)
    with run.authority() as opened, done_or_rehearsed(opened, dry_run=dry_run) as authority:
        made, secret = new_api_token(authority, terms)
        add_api_token(authority.store, made)
    what = f"API token for {name}: {_permitted(made)}, until {show_moment(moment(made.expires_at))}"
    document = {"api_token": api_token_to_json(made, made.created_at)}
    if dry_run:
        show_dry_run(run, acts=[f"make an {what}"], document=document)
        return
    lines = [
        f"made an {what}; its secret is shown this once",
        f"  id      {made.id}",
        f"  secret  {secret}",
        'next: write "Authorization: Bearer SECRET" into a file that only its user reads, and',
        f"      curl --cacert root.pem -H @FILE {run.service_url()}/v1/certificates",
    ]
    run.show(document | {"secret": secret}, "\n".join(lines))


@token.command("list", epilog="\b\nExamples:\n  counterseal api token list\n  counterseal api token list --json")
@common
def list_(run: Run) -> None:
    """List the tokens, newest first, and when each was last used; a secret is never shown again."""
    from counterseal.authority.record_json import api_token_state, api_token_to_json  # noqa: PLC0415 - only here
    from counterseal.store.api_tokens import api_tokens  # noqa: PLC0415 - only here

    with run.authority() as authority:
        found, at = api_tokens(authority.store), epoch(authority.clock())
    rows = [
        (
            one.id,
            one.name,
            _permitted(one),
            api_token_state(one, at),
            f"{moment(one.expires_at):%Y-%m-%d %H:%M}",
            _used(one),
            one.created_by,
        )
        for one in found
    ]
    documents: list[dict[str, Any]] = [api_token_to_json(one, at) for one in found]
    titles = ("ID", "NAME", "PERMITS", "STATE", "UNTIL (UTC)", "LAST USED (UTC)", "BY")
    run.show({"api_tokens": documents}, columns(rows, titles=titles))


@token.command("revoke", epilog="\b\nExamples:\n  counterseal api token revoke ID")
@click.argument("token_id", metavar="ID")
@dry_run_option
@common
def revoke(run: Run, *, token_id: str, dry_run: bool) -> None:
    """Revoke a token: from the next request on it opens nothing; what was issued with it stays.

    The ID stands in the secret too, csa_ID_..., so that one that was found can be revoked.
    """
    from counterseal.store.api_tokens import revoke_api_token  # noqa: PLC0415 - only here

    with run.authority() as opened, done_or_rehearsed(opened, dry_run=dry_run) as authority:
        found = revoke_api_token(authority.store, token_id, epoch(authority.clock()))
    if dry_run:
        show_dry_run(run, acts=[f"revoke API token {token_id} of {found.name}"], document={"revoked": token_id})
        return
    run.show({"revoked": token_id}, f"revoked API token {token_id} of {found.name}")


def _permitted(token: ApiToken) -> str:
    profiles = "" if token.profiles is None else f" for {', '.join(token.profiles)}"
    return token.role + profiles + (f" from {', '.join(token.networks)}" if token.networks else "")


def _used(token: ApiToken) -> str:
    if token.last_used_at is None:
        return "never"
    at = f"{moment(token.last_used_at):%Y-%m-%d %H:%M}"
    return f"{at} from {token.last_used_from}" if token.last_used_from else at
