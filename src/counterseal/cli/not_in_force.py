"""What is so where the store says that somebody is revoked, and nginx could not be told: who gets in meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.errors import ConfigError, CountersealError, DeployError

if TYPE_CHECKING:
    from counterseal.cli.common import Run


def not_in_force(run: Run, name: str, verb: str, error: CountersealError) -> DeployError:
    """Return the error ``revoke.not_in_force``, which says what nginx does with this client and why nothing changed."""
    state_of_nginx = _state_of_nginx(run, name, "admits" if verb == "revoke" else "refuses")
    return DeployError(
        "revoke.not_in_force",
        f"{state_of_nginx}: {error.message}",
        quote=getattr(error, "quote", None),
        advice=getattr(error, "advice", ()) or ((error.hint,) if isinstance(error, ConfigError) and error.hint else ()),
        findings=getattr(error, "findings", ()),
        hint="the store and the lists have it, nginx has not: mend what is named above, then run: counterseal refresh",
    )


def _state_of_nginx(run: Run, name: str, does: str) -> str:
    from counterseal.compose.ground import open_ground  # noqa: PLC0415 - nginx only where sites are

    try:
        ground = open_ground(run.home, run.settings().with_sound_sites())
        is_running, number = ground.place.nginx.master_pid() is not None, ground.in_force
    except CountersealError:
        return f"as far as nginx runs, it still {does} {name}"
    if is_running:
        return f"nginx still {does} {name}"
    return f"nginx does not run, so nobody gets in; the generation that it would start with, {number}, {does} {name}"
