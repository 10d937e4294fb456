"""``counterseal nginx``: render, deploy, rollback, generations, status, stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from counterseal.authority.deployment import choose_rollback, deploy_sites, render_sites, rollback_sites
from counterseal.cli.common import Run, columns, common
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.cli.exit_codes import FINDINGS
from counterseal.cli.nginx_status import status_lines
from counterseal.cli.proofs import table
from counterseal.cli.rehearsal import rehearse_deploy, rehearse_rollback
from counterseal.compose.ground import open_ground
from counterseal.compose.home import require_home
from counterseal.handshake.proof_json import proof_to_json
from counterseal.nginx.deploy import mend
from counterseal.nginx.generations import list_generations
from counterseal.nginx.status import read_status

if TYPE_CHECKING:
    from counterseal.authority.deployment import Deployed, Ground
    from counterseal.fileset import PlannedFile

nginx = click.Group()
"""What deploys and looks after; ``nginx_group`` puts it on the command line."""


@nginx.command(epilog="\b\nExamples:\n  counterseal nginx render\n  counterseal nginx render --snippets")
@click.option("--snippets", is_flag=True, help="Files to include into server blocks of your own.")
@common
def render(run: Run, *, snippets: bool) -> None:
    """Print the configuration that a deploy would write; keys are left out."""
    settings = run.settings()
    with run.authority() as authority:
        ground = open_ground(run.home, settings)
        number = (ground.in_force or 0) + 1
        files = render_sites(authority, settings.sites, ground, generation=number, snippets=snippets)
    shown = [file for file in files if not file.is_secret]
    text = "\n".join(f"# ---- {file.path}\n{_readable(file)}" for file in shown)
    listed = [{"path": file.path, "mode": f"{file.mode:04o}", "size": len(file.content)} for file in files]
    run.show({"files": listed}, text)


def _readable(file: PlannedFile) -> str:
    """Return what a person would read of a file: certificates and lists are only counted."""
    if file.content.startswith(b"-----BEGIN"):
        return f"# {file.content.count(b'-----BEGIN')} in PEM, {len(file.content):,} bytes\n"
    return file.content.decode(errors="replace")


@nginx.command(epilog="\b\nExamples:\n  counterseal nginx deploy\n  counterseal nginx deploy --install-include")
@click.option("--install-include", is_flag=True, help="Make our one include file in your nginx's tree.")
@dry_run_option
@common
def deploy(run: Run, *, install_include: bool, dry_run: bool) -> None:
    """Put the sites in force as a new generation, proved; on any failure go back."""
    settings = run.settings()
    with run.authority() as authority:
        ground = open_ground(run.home, settings)
        if dry_run:
            rehearse_deploy(run, authority, settings.sites, ground, install=install_include)
            return
        deployed = deploy_sites(authority, settings.sites, ground, reason="deploy", install=install_include)
    show_deployed(run, deployed)


@nginx.command(epilog="\b\nExamples:\n  counterseal nginx rollback\n  counterseal nginx rollback --to 7")
@click.option("--to", type=click.IntRange(1), help="Generation to go back to.  [default: the proven one before]")
@click.option("--readmit", is_flag=True, help="Also where it lets in again who was revoked since.")
@dry_run_option
@common
def rollback(run: Run, *, to: int | None, readmit: bool, dry_run: bool) -> None:
    """Put an older generation in force again, with the same bytes, and prove it.

    One that does not know of a revocation is refused. It holds until the next deploy, revocation or refresh, which has
    newer lists and puts in force what counterseal.toml says.
    """
    settings = run.settings()
    with run.authority() as authority:
        ground = open_ground(run.home, settings)
        if dry_run:
            rehearse_rollback(run, ground, choose_rollback(authority, ground, to=to, readmit=readmit))
            return
        deployed = rollback_sites(authority, settings.sites, ground, to=to, readmit=readmit)
    show_deployed(run, deployed)
    run.say("hint: put counterseal.toml back now: the next deploy, revocation or refresh puts in force what it says")


@nginx.command(epilog="\b\nExamples:\n  counterseal nginx generations")
@common
def generations(run: Run) -> None:
    """List the generations that are kept."""
    require_home(run.home)
    ground = open_ground(run.home, run.settings())
    mend(ground.place)
    current = ground.in_force
    found = list_generations(ground.place.base)
    rows, documents = [], []
    for generation in found:
        manifest = generation.manifest
        made = f"{manifest.created_at:%Y-%m-%d %H:%M:%S}" if manifest else "unknown"
        state = ("in force" if generation.number == current else "") if generation.proven else "never proved"
        rows.append((str(generation.number), made, state, manifest.reason if manifest else ""))
        documents.append(
            {
                "number": generation.number,
                "created_at": manifest.created_at.isoformat() if manifest else None,
                "reason": manifest.reason if manifest else None,
                "proven": generation.proven,
                "in_force": generation.number == current,
            }
        )
    if not rows:
        run.show({"generations": []}, "no generation yet: counterseal nginx deploy")
        return
    run.show({"generations": documents}, columns(rows, titles=("NUMBER", "MADE (UTC)", "STATE", "WHY")))


@nginx.command(epilog="\b\nExamples:\n  counterseal nginx status")
@common
def status(run: Run) -> int:
    """Say which nginx runs, and which generation it serves."""
    require_home(run.home)
    ground = open_ground(run.home, run.settings())
    recovery = mend(ground.place)
    if recovery:
        run.say(f"mended: the deploy of generation {recovery.new} had been killed; in force is {recovery.in_force}")
    found = read_status(ground.place)
    document = {
        "binary": str(found.binary),
        "version": found.version,
        "running": found.running,
        "master": found.master,
        "workers": list(found.workers),
        "generation": found.generation,
        "proven": found.proven,
        "changed": list(found.changed),
        "test_passed": found.test.passed if found.test else None,
        "faults": [fault.message for fault in found.faults],
    }
    run.show(document, "\n".join(status_lines(found)))
    return 0 if found.running and found.proven and not found.changed else FINDINGS


@nginx.command(epilog="\b\nExamples:\n  counterseal nginx stop")
@dry_run_option
@common
def stop(run: Run, *, dry_run: bool) -> None:
    """Stop the private nginx that a deploy started; a user's own nginx is never stopped."""
    require_home(run.home)
    ground = open_ground(run.home, run.settings())
    if dry_run:
        show_dry_run(run, acts=[_stopping(ground)])
        return
    if ground.place.nginx.target.owned:
        ground.place.nginx.stop(within=10)
    run.show({"running": ground.place.nginx.master_pid() is not None}, "nginx is stopped")


def _stopping(ground: Ground) -> str:
    master = ground.place.nginx.master_pid()
    if not ground.place.nginx.target.owned:
        return "stop nothing: this nginx is not one that a deploy started"
    return "stop nothing: nginx does not run" if master is None else f"stop nginx, process {master}"


def show_deployed(run: Run, deployed: Deployed) -> None:
    """Show what is in force now and the proof of it, and tell what the linter found around it."""
    for finding in deployed.findings:
        run.say(f"{finding.severity.name.lower()}: {finding.where}: {finding.message} [{finding.code}]")
    result = deployed.result
    text = f"generation {result.generation} is in force and proved, in {result.seconds:.1f} s\n{table(deployed.proofs)}"
    proofs = [proof_to_json(proof) for proof in deployed.proofs]
    told = [
        {"code": one.code, "severity": one.severity.name.lower(), "where": one.where, "message": one.message}
        for one in deployed.findings
    ]
    document = {"generation": result.generation, "seconds": result.seconds, "proofs": proofs, "findings": told}
    run.show(document, text)
