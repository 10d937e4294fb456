"""What ``refresh`` does where something serves the sites and no master of nginx is found: prove it, or say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.cli.not_in_force import has_generation
from counterseal.errors import CountersealError

if TYPE_CHECKING:
    from counterseal.authority.ground import Ground
    from counterseal.authority.parts import Authority
    from counterseal.cli.common import Run
    from counterseal.config.settings import Settings


def prove_by_hand(run: Run, authority: Authority, settings: Settings) -> None:
    """Prove what nginx was made to read by hand, where its master is not found."""
    if (ground := _ground(run, settings)) is None:
        return
    from counterseal.authority.unseen import find_unseen  # noqa: PLC0415 - nginx and TLS only where sites are

    if find_unseen(ground) is not None:
        from counterseal.authority.unseen_proof import prove_unseen  # noqa: PLC0415 - same

        prove_unseen(authority, settings.sites, ground)


def tell_unseen(run: Run) -> bool:
    """Say that something serves whose master is not found, and whether it has the generation in force."""
    from counterseal.compose.ground import settings_in_force  # noqa: PLC0415 - nginx only where sites are

    try:
        settings = settings_in_force(run.home) or run.settings().for_revocation()  # what serves was made by the former
        ground = _ground(run, settings.with_sound_sites())
    except CountersealError:
        return False  # it kept the deploy as well, whose error tells it
    if ground is None:
        return False
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
