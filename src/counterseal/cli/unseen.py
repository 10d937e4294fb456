"""What is done where something serves the sites that is not deployed to: no master of it is found, or another's is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.cli.not_in_force import has_generation
from counterseal.errors import CountersealError

if TYPE_CHECKING:
    from counterseal.authority.ground import Ground
    from counterseal.authority.parts import Authority
    from counterseal.cli.common import Run
    from counterseal.config.settings import Settings
    from counterseal.errors import NginxError


def prove_by_hand(run: Run, authority: Authority, settings: Settings) -> None:
    """Prove what nginx was made to read by hand, where its master is not found."""
    if (ground := _ground(run, settings)) is None:
        return
    from counterseal.authority.unseen import find_unseen  # noqa: PLC0415 - nginx and TLS only where sites are

    if find_unseen(ground) is not None:
        from counterseal.authority.unseen_proof import prove_unseen  # noqa: PLC0415 - same

        prove_unseen(authority, settings.sites, ground)


def tell_unserved(run: Run) -> dict[str, bool]:
    """Say what serves that a deploy does not reach, and return it: no master of it is found, or it is another nginx."""
    from counterseal.compose.ground import settings_in_force  # noqa: PLC0415 - nginx only where sites are

    try:
        settings = settings_in_force(run.home) or run.settings().for_revocation()  # what serves was made by the former
        ground = _ground(run, settings.with_sound_sites())
    except CountersealError:
        return {"unseen": False, "another_nginx": False}  # it kept the deploy as well, whose error tells it
    unseen = ground is not None and _tell_unseen(run, ground)
    is_unknown = ground is None and has_generation(run)  # nobody knows of which nginx
    return {"unseen": unseen, "another_nginx": not (unseen or is_unknown) and tell_another(run, ground)}


def tell_another(run: Run, ground: Ground | None) -> bool:
    """Say that another nginx serves sites of this home."""
    if error := another_nginx(run, ground):
        run.warn(f"{error.message}; who was revoked since gets in there", f"hint: {error.hint}")
    return error is not None


def require_alone(run: Run, ground: Ground | None) -> None:
    """Raise NginxError ``nginx.another`` where another nginx serves sites of this home."""
    if error := another_nginx(run, ground):
        raise error


def another_nginx(run: Run, ground: Ground | None) -> NginxError | None:
    """Return that another nginx serves sites of this home than the one of ``ground``; any, where none is deployed."""
    from counterseal.authority.another import another_error, find_another  # noqa: PLC0415 - nginx only where sites are

    if ground is not None:
        base, master = ground.place.base, ground.place.nginx.master_pid()
    else:
        from counterseal.compose.ground import nginx_directory  # noqa: PLC0415 - same

        base, master = nginx_directory(run.home), None
    workers = find_another(base, master)
    return another_error(workers) if workers else None


def _tell_unseen(run: Run, ground: Ground) -> bool:
    from counterseal.authority.unseen import find_unseen, unseen_error  # noqa: PLC0415 - nginx and TLS only where sites are
    from counterseal.nginx.generations import read_generation  # noqa: PLC0415 - same

    unseen, number = find_unseen(ground), ground.in_force
    if unseen is None or number is None:
        return False
    error, is_proven = unseen_error(ground, unseen), read_generation(ground.place.base, number).proven
    state = "is proved" if is_proven else "has not reached it: who is revoked since may still get in"
    run.warn(f"{error.message}; generation {number} {state}", f"hint: {error.hint}; then run: counterseal refresh")
    return True


def _ground(run: Run, settings: Settings) -> Ground | None:
    if not settings.sites or not has_generation(run):
        return None
    from counterseal.compose.ground import open_ground  # noqa: PLC0415 - nginx only where sites are

    return open_ground(run.home, settings)
