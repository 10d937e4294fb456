"""A deploy that locks somebody out, where counterseal.toml is refused: by what it said for the generation in force.

One that lets in (a deploy, a rollback, the successor of a retired CA) can wait until somebody has mended the file: by
settings that are not those of today it might let in whom they keep out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from counterseal.cli.not_in_force import UNTOLD
from counterseal.errors import ConfigError, CountersealError, shell_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.cli.common import Run
    from counterseal.config.settings import Settings

ValueT = TypeVar("ValueT")


def by_sound_settings(
    run: Run, settings: Settings, attempt: Callable[[Settings], ValueT]
) -> tuple[ValueT, CountersealError | None]:
    """Return what is made by these settings; where they are refused, by those in force, and why they are refused.

    That is no fault where they name no site and nothing is served. Raises it where nothing else was in force, or is
    refused as well; or because of it that somebody who serves has to be told by hand.
    """
    try:
        return attempt(settings), None
    except CountersealError as error:
        last = _others_in_force(run, settings)
        if last is None:
            raise
        try:
            made = attempt(last)
        except CountersealError as left:
            if left.code in UNTOLD:
                raise left from error
            raise error from None
        return made, None if error.code == "config.no_site" and _is_out_of_service(run, last) else error


def _is_out_of_service(run: Run, last: Settings) -> bool:
    """Say that the sites in force, which are named no more, are not served; return False where they may be.

    So it is where nginx was stopped and they were taken out of the file. The generation gets new lists all the same:
    nginx may be started with it.
    """
    from counterseal.authority.another import find_another  # noqa: PLC0415 - nginx only where sites are
    from counterseal.authority.unseen import is_served  # noqa: PLC0415 - same
    from counterseal.compose.ground import open_ground  # noqa: PLC0415 - same

    ground = open_ground(run.home, last)
    if is_served(ground) or find_another(ground.place.base, None):
        return False
    forget = shell_line("rm", ground.place.base / "current")
    run.say(f"no site is configured, and nothing is served; to forget what was: {forget}")
    return True


def names_no_site(settings: Settings) -> bool:
    """Whether the file is read and has no site in it."""
    return "sites" not in settings.faulty and not settings.said.sites


def _others_in_force(run: Run, settings: Settings) -> Settings | None:
    """Return the settings in force, where they are other ones for nginx."""
    from counterseal.compose.ground import settings_in_force  # noqa: PLC0415 - nginx only where sites are

    last = settings_in_force(run.home)
    if last is None or last.faulty & {"sites", "nginx"}:
        return None
    is_same = (last.said.sites, last.said.nginx) == (settings.said.sites, settings.said.nginx)
    return None if is_same and not settings.faulty & {"sites", "nginx"} else last


def require_what_is_served(run: Run, settings: Settings) -> None:
    """Raise ConfigError where a generation is in force of sites, or in an nginx, that these settings no longer name.

    ``config.no_site``, ``config.other_nginx``: nginx serves it still, and a revocation by these would not get there.
    """
    from counterseal.compose.ground import settings_in_force  # noqa: PLC0415 - nginx only where sites are

    served = settings_in_force(run.home)
    if not settings.sites:
        raise ConfigError(
            "config.no_site",
            f"no site is configured, and a generation of some is in force: {run.home / 'nginx' / 'current'}",
            hint="counterseal.toml is to name them; where no nginx serves them any more, remove that link",
        )
    if served is None or "nginx" in served.faulty or _is_same_nginx(served, settings):
        return
    before = served.nginx.config or "none, for a private one"
    raise ConfigError(
        "config.other_nginx",
        f"[nginx] config names another nginx than the generation in force: {settings.nginx.config or 'none'}",
        hint=f"it was made for config {before}; counterseal nginx deploy makes one for the new nginx",
    )


def _is_same_nginx(one: Settings, other: Settings) -> bool:
    ours, others = one.nginx.config, other.nginx.config
    return ours == others or (ours is not None and others is not None and ours.resolve() == others.resolve())


def tell_refused(run: Run, shown: dict[str, Any], refused: CountersealError | None) -> None:
    """Say by which settings nginx has the new generation, where it is not by those of today; put it into ``shown``."""
    if refused is None or not shown:
        return
    run.warn(f"counterseal.toml is refused: {refused.message}")
    findings = getattr(refused, "findings", ())
    for one in findings:
        run.tell(f"  - {one.place + ': ' if one.place else ''}{one.message}")
    run.tell("hint: the sites are as the generation before has them, with the new lists; mend the file, then run:")
    run.tell("  counterseal nginx deploy")
    told = [{"code": one.code, "where": one.where, "message": one.message} for one in findings]
    whole = {"code": refused.code, "where": "counterseal.toml", "message": refused.message}
    shown["passed_over"] = [*shown.get("passed_over", ()), *(told or [whole])]
    shown["settings_of_before"] = True


def acts_of_refusal(refused: CountersealError | None) -> list[str]:
    """Return what a rehearsal says of it."""
    return [f"keep the sites as they are, because counterseal.toml is refused: {refused.message}"] if refused else []
