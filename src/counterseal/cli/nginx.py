"""``counterseal nginx``: deploy, rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from counterseal.authority.deployment import choose_rollback, deploy_sites, rollback_sites
from counterseal.authority.unseen import require_seen
from counterseal.cli.common import Run, common
from counterseal.cli.dry_run import dry_run_option
from counterseal.cli.findings import findings_to_json, tell_findings
from counterseal.cli.proofs import table
from counterseal.cli.rehearsal import rehearse_deploy, rehearse_rollback
from counterseal.cli.unseen import tell_another
from counterseal.compose.ground import closed_to_workers, nginx_directory, open_ground, settings_of_generation
from counterseal.errors import shell_line
from counterseal.handshake.proof_json import proof_to_json
from counterseal.nginx.deploy import await_others, mend
from counterseal.nginx.retention import find_previous

if TYPE_CHECKING:
    from counterseal.authority.deployment import Deployed
    from counterseal.authority.ground import Ground
    from counterseal.config.settings import Settings


@click.command(epilog="\b\nExamples:\n  counterseal nginx deploy\n  counterseal nginx deploy --install-include")
@click.option("--install-include", is_flag=True, help="Make our one include file in your nginx's tree.")
@dry_run_option
@common
def deploy(run: Run, *, install_include: bool, dry_run: bool) -> None:
    """Put the sites in force as a new generation, proved; on any failure go back."""
    settings = run.settings()
    with run.authority() as authority:
        ground = open_ground(run.home, settings)
        require_seen(ground)
        if dry_run:
            rehearse_deploy(run, authority, settings.sites, ground, install=install_include)
            return
        deployed = deploy_sites(authority, settings.sites, ground, reason="deploy", install=install_include)
    show_deployed(run, deployed)
    tell_another(run, ground)
    _tell_root_workers(run, settings, ground)


def _tell_root_workers(run: Run, settings: Settings, ground: Ground) -> None:
    """Say that the workers of a private nginx are root where nobody chose that."""
    closed = closed_to_workers(ground.place.base)
    if closed and ground.layout.owns_main and ground.layout.worker_user == "root" and settings.nginx.user is None:
        run.warn(f"nginx's workers run as root, because nobody else may pass through {closed}")
        todo = shell_line("chmod", "o+x", closed)
        run.tell(f"hint: {todo}, or name whom they are to be: user, in [nginx]; then deploy again")


@click.command(epilog="\b\nExamples:\n  counterseal nginx rollback\n  counterseal nginx rollback --to 7")
@click.option("--to", type=click.IntRange(1), help="Generation to go back to.  [default: the proven one before]")
@click.option("--readmit", is_flag=True, help="Also where it lets in again who was revoked since.")
@dry_run_option
@common
def rollback(run: Run, *, to: int | None, readmit: bool, dry_run: bool) -> None:
    """Put an older generation in force again, with the same bytes, and prove it.

    One that does not know of a revocation is refused. It holds until the next deploy, revocation or refresh, which has
    newer lists and puts in force what counterseal.toml says.
    """
    with run.authority() as authority:
        (await_others if dry_run else mend)(open_ground(run.home, run.settings().with_sound_sites()).place)
        settings = _settings_at(run, to)
        ground = open_ground(run.home, settings)
        require_seen(ground)
        if dry_run:
            rehearse_rollback(run, ground, choose_rollback(authority, ground, to=to, readmit=readmit))
            return
        deployed = rollback_sites(authority, settings.sites, ground, to=to, readmit=readmit)
    show_deployed(run, deployed)
    tell_another(run, ground)
    run.say("hint: put counterseal.toml back now: the next deploy, revocation or refresh puts in force what it says")


def _settings_at(run: Run, to: int | None) -> Settings:
    """Return the sites as they were then, by which that generation is proved, in the nginx of today."""
    today = run.settings()
    number = to or find_previous(nginx_directory(run.home))
    then = None if number is None else settings_of_generation(run.home, number)
    return today if then is None else then._replace(said=then.said._replace(nginx=today.nginx))


def show_deployed(run: Run, deployed: Deployed) -> None:
    """Show what is in force now and the proof of it, and tell what the linter found around it."""
    tell_findings(run, deployed.findings)
    result = deployed.result
    text = f"generation {result.generation} is in force and proved, in {result.seconds:.1f} s\n{table(deployed.proofs)}"
    proofs = [proof_to_json(proof) for proof in deployed.proofs]
    told = findings_to_json(deployed.findings)
    document = {"generation": result.generation, "seconds": result.seconds, "proofs": proofs, "findings": told}
    run.show(document, text)
