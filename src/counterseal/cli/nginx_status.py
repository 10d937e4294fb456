"""``counterseal nginx``: generations, status, stop. They ask no CA, prove nothing, and load nothing for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from counterseal.cli.common import Run, columns, common
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.cli.exit_codes import FINDINGS
from counterseal.compose.ground import open_ground
from counterseal.compose.home import require_home
from counterseal.errors import NginxError
from counterseal.nginx.deploy import mend
from counterseal.nginx.generations import list_generations
from counterseal.nginx.inclusion import plan_inclusion
from counterseal.nginx.status import read_status
from counterseal.pki.shown import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.authority.ground import Ground
    from counterseal.nginx.generations import Generation
    from counterseal.nginx.status import NginxStatus


_PROVE = "counterseal refresh"
"""Proves what nginx was started with."""

_NOT_OURS = "it is not one that a deploy started"


@click.command(epilog="\b\nExamples:\n  counterseal nginx generations")
@common
def generations(run: Run) -> None:
    """List the generations that are kept."""
    require_home(run.home)
    ground = open_ground(run.home, run.settings().with_sound_sites())
    mend(ground.place)
    current = ground.in_force
    found = list_generations(ground.place.base)
    rows, documents = [], []
    for generation in found:
        manifest = generation.manifest
        made = f"{manifest.created_at:%Y-%m-%d %H:%M:%S}" if manifest else "unknown"
        rows.append((str(generation.number), made, _state(generation, current), manifest.reason if manifest else ""))
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


def _state(generation: Generation, current: int | None) -> str:
    """Return in words what a generation is: in force, one to go back to, or one that was never in force for good."""
    proved = "proved" if generation.proven else "never proved"
    return f"in force, {proved}" if generation.number == current else proved


@click.command(epilog="\b\nExamples:\n  counterseal nginx status")
@common
def status(run: Run) -> int:
    """Say which nginx runs, and which generation it serves."""
    require_home(run.home)
    ground = open_ground(run.home, run.settings().with_sound_sites())
    recovery = mend(ground.place)
    if recovery:
        run.say(f"mended: the deploy of generation {recovery.new} had been killed; in force is {recovery.in_force}")
    found = read_status(ground.place)
    unseen = _unseen(ground) if found.generation is not None and not found.running else None
    following = unseen.hint if unseen else _next(run, ground, found)
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
        "faults": [fault.message for fault in (*found.faults, *([unseen] if unseen else []))],
        "next": following,
    }
    lines = _status_lines(found, unseen, owned=ground.place.nginx.target.owned)
    run.show(document, "\n".join((*lines, *([f"next: {following}"] if following else []))))
    return 0 if found.running and found.proven and not found.changed else FINDINGS


@click.command(epilog="\b\nExamples:\n  counterseal nginx stop")
@dry_run_option
@common
def stop(run: Run, *, dry_run: bool) -> None:
    """Stop the private nginx that a deploy started; a user's own nginx is never stopped."""
    require_home(run.home)
    ground = open_ground(run.home, run.settings().with_sound_sites())
    owned, act = ground.place.nginx.target.owned, _stopping(ground)
    if owned:
        if not dry_run:
            ground.place.nginx.stop(within=10)
        from counterseal.authority.unseen import require_seen  # noqa: PLC0415 - connects, which few commands here do

        require_seen(ground)
    document = {"running": ground.place.nginx.master_pid() is not None and not (owned and dry_run)}
    if dry_run:
        show_dry_run(run, acts=[act], document=document)
        return
    run.show(document, "nginx is stopped" if owned else f"nginx was left as it is: {_NOT_OURS}")


def _stopping(ground: Ground) -> str:
    master = ground.place.nginx.master_pid()
    if not ground.place.nginx.target.owned:
        return f"stop nothing: {_NOT_OURS}"
    return "stop nothing: nginx does not run" if master is None else f"stop nginx, process {master}"


def _next(run: Run, ground: Ground, found: NginxStatus) -> str | None:
    """Return the next step that works as things are; None where nothing is left to be done, or nobody can tell."""
    place, target = ground.place, ground.place.nginx.target
    if not run.settings().with_sound_sites().sites:
        return "counterseal nginx add SERVER_NAME --upstream HOST:PORT" if found.generation is None else None
    if not target.owned:
        if found.test is None or not found.test.passed:
            return "mend what nginx -t names, then: counterseal nginx status"
        if not found.running:
            return f"{target.start}, then: {'counterseal nginx status' if found.generation is None else _PROVE}"
        try:
            plan_inclusion(target, place.base, install=False, time_limit=place.limits.test)
        except NginxError as error:
            return f"{error.hint}, then: counterseal nginx deploy"
    if found.generation is None or not found.running or found.changed:
        return "counterseal nginx deploy"
    return None if found.proven else _PROVE


def _unseen(ground: Ground) -> NginxError | None:
    from counterseal.authority.unseen import find_unseen, unseen_error  # noqa: PLC0415 - only where nginx seems not to run

    unseen = find_unseen(ground)
    return unseen_error(ground, unseen) if unseen else None


def _status_lines(found: NginxStatus, unseen: NginxError | None, *, owned: bool) -> Iterator[str]:
    """Yield a line for each thing that is known."""
    yield f"nginx       {(found.version or 'unknown').removeprefix('nginx version: ')}, {found.binary}"
    workers = counted(len(found.workers), "worker")
    stopped = unseen.message if unseen else "no"
    yield f"running     {f'yes: master {found.master}, {workers}' if found.running else stopped}"
    yield f"in force    {_in_force(found)}"
    if found.changed:
        yield f"changed     {', '.join(found.changed)}: not as they were written; deploy again, or roll back"
    if found.test is not None and (found.generation is not None or not owned):
        yield f"nginx -t    {'passes' if found.test.passed else f'fails: {found.test.quote}'}"
    for fault in found.faults:
        yield f"fault       {fault.message}"
        if fault.hint:
            yield f"hint        {fault.hint}"


def _in_force(found: NginxStatus) -> str:
    if found.generation is None:
        return "no generation yet"
    return f"generation {found.generation}, {'proved' if found.proven else 'never proved'}"
