"""``counterseal refresh``: what a timer calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from counterseal.authority.publish import publish, stale_lists
from counterseal.cli.common import Run, common
from counterseal.cli.dry_run import dry_run_option, show_dry_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.authority.parts import Authority


@click.command(epilog="\b\nExamples:\n  counterseal refresh --passphrase-file /etc/counterseal/passphrase")
@dry_run_option
@common
def refresh(run: Run, *, dry_run: bool) -> None:
    """Sign lists that are old, renew site certificates that are due, and deploy once if anything changed."""
    with run.authority() as authority:
        stale = stale_lists(authority)
        if dry_run:
            _rehearse(run, authority, stale)
            return
        done, document = _deploy(run, authority, due=bool(stale))
        if done is None and stale:
            signed = [crl.issuer for crl in publish(authority, only=stale).signed]
            done, document = f"new lists: {', '.join(signed)}", {"signed": signed}
    run.show({"changed": done is not None, **document}, done or "nothing is due")


def _deploy(run: Run, authority: Authority, *, due: bool) -> tuple[str | None, dict[str, Any]]:
    """Deploy when a list is old or a site's certificate is due; None when nothing is due or deployed."""
    settings = run.settings()
    if not settings.sites:
        return None, {}
    from counterseal.authority.deployment import deploy_sites, is_outdated, sites_due  # noqa: PLC0415 - only where sites are
    from counterseal.compose.ground import open_ground  # noqa: PLC0415 - same

    ground = open_ground(run.home, settings)
    names = sites_due(authority, settings.sites, ground)
    if ground.in_force is None or not (due or names or is_outdated(authority, ground)):
        return None, {}
    deployed = deploy_sites(authority, settings.sites, ground, reason="refresh")
    generation = deployed.result.generation
    renewed = f", renewed the certificate of {', '.join(names)}" if names else ""
    return f"generation {generation} is in force and proved{renewed}", {
        "generation": generation,
        "renewed": list(names),
    }


def _rehearse(run: Run, authority: Authority, stale: Sequence[str]) -> None:
    settings, deploys = run.settings(), False
    names: tuple[str, ...] = ()
    if settings.sites:
        from counterseal.authority.deployment import is_outdated, sites_due  # noqa: PLC0415 - only where sites are
        from counterseal.compose.ground import open_ground  # noqa: PLC0415 - same

        ground = open_ground(run.home, settings)
        names = sites_due(authority, settings.sites, ground)
        deploys = ground.in_force is not None and bool(stale or names or is_outdated(authority, ground))
    acts = [f"sign a new revocation list of {name}" for name in stale]
    acts += [f"renew the certificate of site {name}" for name in names if deploys]
    acts += ["deploy a new generation and prove it"] if deploys else []
    show_dry_run(run, acts=acts or ["do nothing: nothing is due"], document={"stale": stale, "due": names})
