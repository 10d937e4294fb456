"""From the raw table ``[api]`` to its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.config.faults import Faults
from counterseal.config.serial_number import parse_serial
from counterseal.config.service import per_minute
from counterseal.errors import InputError, hint_for
from counterseal.pki.subject import parse_subject, show_subject
from counterseal.protocols.api.rules import Access, ApiRules, Grant, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from counterseal.config.raw import RawAccess, RawApi
    from counterseal.pki.profile import Profile


def api_rules_of(raw: RawApi, profiles: Mapping[str, Profile]) -> ApiRules:
    """Return the rules; ``profiles`` are those that there are. Raises ConfigError with every fault."""
    faults = Faults()
    read = [
        faults.attempt(lambda one=one: _access(one, profiles), None, f"access[{index}]")  # type: ignore[misc] # bound now
        for index, one in enumerate(raw.access)
    ]
    allowed = faults.attempt(lambda: per_minute(raw.requests_per_minute), 0, "requests_per_minute")
    faults.refuse()
    return ApiRules(raw.enabled, tuple(one for one in read if one is not None), allowed)


def _access(raw: RawAccess, profiles: Mapping[str, Profile]) -> Access:
    if sum(one is not None for one in (raw.subject, raw.group, raw.serial_number)) != 1:
        raise InputError("config.access", "an access is for one of subject, group and serial_number: give one of them")
    grant = grant_of(raw.role, raw.profiles, profiles)
    return Access(
        grant,
        subject=None if raw.subject is None else show_subject(parse_subject(raw.subject)),
        group=raw.group,
        serial_number=None if raw.serial_number is None else parse_serial(raw.serial_number),
    )


def grant_of(role: str, wanted: list[str] | None, profiles: Mapping[str, Profile]) -> Grant:
    """Return the grant of a role, for these profiles or for all; raises InputError ``config.choice``."""
    if role not in {one.value for one in Role}:
        raise InputError("config.choice", f"not a role: {role!r}", hint=f"choose of {', '.join(Role)}")
    for name in wanted or ():
        if name not in profiles:
            raise InputError("config.choice", f"not a profile: {name!r}", hint=hint_for(name, profiles))
    return Grant(Role(role), None if wanted is None else tuple(wanted))
