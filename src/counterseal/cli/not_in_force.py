"""What is so where a revocation is recorded or a list due, and not all of it could follow: who gets in, and why."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from counterseal.errors import ConfigError, CountersealError, DeployError

if TYPE_CHECKING:
    from counterseal.cli.common import Run
    from counterseal.findings import Finding
    from counterseal.store.records import CertificateRecord

ANOTHER = "nginx.another"
UNTOLD = frozenset({"nginx.unseen", ANOTHER})
"""Somebody serves who was not told; their hints say how he is."""


def not_in_force(run: Run, name: str, verb: str, error: CountersealError) -> DeployError:
    """Return the error ``revoke.not_in_force``, which says what nginx does with this client and why nothing changed."""
    state_of_nginx = _state_of_another(name, verb) if error.code == ANOTHER else _state_of_nginx(run, name, verb)
    of_lists = None if isinstance(error, ConfigError) else run.settings().overlooked()
    return DeployError(
        "revoke.not_in_force",
        f"{state_of_nginx}: {error.message}",
        quote=getattr(error, "quote", None),
        advice=advice_of(error),
        findings=(*findings_of(error), *(of_lists.findings if of_lists else ())),
        hint="the store has it, nginx has not: mend what is named above, then run: counterseal refresh",
    )


def advice_of(error: CountersealError) -> tuple[str, ...]:
    """Return how to mend it, where the hint of the whole says only that it is to be mended."""
    tells_more = isinstance(error, ConfigError) or error.code in {*UNTOLD, "command.unexpected"}
    advice = getattr(error, "advice", ()) or ((error.hint,) if tells_more and error.hint else ())
    refused = _refused_before(error)
    return (*advice, f"counterseal.toml is refused as well: {refused.message}") if refused else advice


def findings_of(error: CountersealError) -> tuple[Finding, ...]:
    """Return what is wrong with the configuration, by the error or by what led to it."""
    return (*getattr(error, "findings", ()), *getattr(_refused_before(error), "findings", ()))


def _refused_before(error: CountersealError) -> CountersealError | None:
    """Return why it was tried by the settings in force, as ``by_sound_settings`` does."""
    cause = error.__cause__
    return cause if error.code in UNTOLD and isinstance(cause, CountersealError) else None


def not_published(run: Run, record: CertificateRecord, verb: str, error: CountersealError) -> DeployError:
    """Return the error ``revoke.not_published``, which says what nginx does with this client if a site is deployed."""
    meanwhile = f"; {_state_of_nginx(run, record.name, verb)}" if has_generation(run) else ""
    return DeployError(
        "revoke.not_published",
        f"the store has it that {record.name} is {record.status}, no list says so yet{meanwhile}: {error.message}",
        findings=getattr(error, "findings", ()),
        hint="mend what is named above, then run: counterseal refresh",
    )


def by_defaults(told: str, error: ConfigError) -> DeployError:
    """Return the error ``deploy.by_defaults``: all is done, ``told``, by less than what the file is meant to say."""
    return DeployError(
        "deploy.by_defaults",
        f"{told}; by what can be read of counterseal.toml, and by defaults elsewhere: {error.message}",
        findings=error.findings,
        advice=(error.hint,) if error.hint else (),
        hint="mend what is named above, then run: counterseal crl, and: counterseal refresh",
    )


def fails_by_defaults(error: ConfigError | None) -> list[str]:
    """Return what a rehearsal says of it in the end, nothing where nothing is passed over."""
    return [f"fail: {by_defaults('all of this is done', error).message}"] if error else []


def has_generation(run: Run) -> bool:
    """Return whether a site has been deployed here."""
    return os.path.lexists(run.home / "nginx" / "current")


def _state_of_another(name: str, verb: str) -> str:
    return f"not every nginx was told of it, and one may still {'admit' if verb == 'revoke' else 'refuse'} {name}"


def _state_of_nginx(run: Run, name: str, verb: str) -> str:
    from counterseal.authority.unseen import find_unseen  # noqa: PLC0415 - nginx only where sites are
    from counterseal.compose.ground import open_ground, settings_in_force  # noqa: PLC0415 - same

    does = "admits" if verb == "revoke" else "refuses"
    try:
        settings = settings_in_force(run.home) or run.settings().for_revocation()
        ground = open_ground(run.home, settings.with_sound_sites())
        is_running, number = ground.place.nginx.master_pid() is not None, ground.in_force
        is_unseen = find_unseen(ground) is not None
    except CountersealError:
        return f"as far as nginx runs, it still {does} {name}"
    if is_running:
        return f"nginx still {does} {name}"
    if is_unseen:
        return f"what serves the sites was not told of it, and may still {does.removesuffix('s')} {name}"
    return f"nginx does not run, so nobody gets in; the generation that it would start with, {number}, {does} {name}"
