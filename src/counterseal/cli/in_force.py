"""What is said after a deploy that locks somebody out: what of it is not proved, and what has no end yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from counterseal.authority.unseen import require_seen
from counterseal.cli.last_settings import names_no_site
from counterseal.cli.proofs import tell_unmet
from counterseal.errors import shell_line

if TYPE_CHECKING:
    from counterseal.authority.deployment import Deployed
    from counterseal.authority.ground import Ground
    from counterseal.cli.common import Run


def tell_in_force(run: Run, ground: Ground, deployed: Deployed) -> tuple[str, dict[str, Any]]:
    """Say what the deploy leaves to be done; return in words, and as data, how its generation is in force."""
    unmet, nginx = tell_unmet(run, deployed), ground.place.nginx
    for one in deployed.passed_over:
        run.warn(f"{one.where}: {one.message} [{one.code}]")
    if deployed.passed_over:
        run.tell("hint: that is so already, and keeps nobody from being locked out; it stops: counterseal nginx deploy")
    shown = {
        "generation": deployed.result.generation,
        "proved": not deployed.rests,
        "unmet": unmet,
        "passed_over": [{"code": one.code, "where": one.where, "message": one.message} for one in deployed.passed_over],
    }
    if deployed.rests:
        return tell_rest(run, ground), shown
    old = nginx.leaving_pids()
    if old and ground.ends_old:
        bound = f"{ground.layout.shutdown_timeout} s" if nginx.target.owned else "its worker_shutdown_timeout"
        run.say(f"old workers still serve what was connected before, for {bound} at most, revoked clients too")
    if not ground.ends_old:
        run.warn("what a revoked client has open in your nginx has no end: downloads, streams, websockets")
        run.tell(f"hint: write outside every block of {nginx.target.conf}, and reload: worker_shutdown_timeout 30s;")
        if old:
            run.tell("hint: old workers still serve somebody; to end them now, with all that they serve, of any site:")
            run.tell(f"  {shell_line('kill', *old)}")
    return "in force and proved", {**shown, "old_workers": list(old), "old_workers_end": ground.ends_old}


def tell_rest(run: Run, ground: Ground) -> str:
    """Say that nginx does not run and was left so; return in words how the new generation is in force.

    Where no site is named any more nobody is waiting for it.

    Raises NginxError ``nginx.unseen`` where something serves all the same, which has not read the new generation.
    """
    require_seen(ground)
    if names_no_site(run.settings().for_revocation()):
        return "kept for a start of nginx, tested but not proved"
    target = ground.place.nginx.target
    run.warn("nginx does not run, so nobody gets in, and nothing could be proved; it was not started")
    run.tell(f"hint: start it: {target.start}{'' if target.owned else ', then prove it: counterseal refresh'}")
    return "in force when nginx starts, tested but not proved"
