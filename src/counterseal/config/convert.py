"""From a table ``[profiles.NAME]`` to a profile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from counterseal.duration import parse_duration
from counterseal.errors import InputError
from counterseal.pki.names import dns_name
from counterseal.pki.profile import CLIENT, SERVER, UNLISTED
from counterseal.store.records import CA_PROFILE

if TYPE_CHECKING:
    from counterseal.config.raw import RawProfile
    from counterseal.pki.profile import Profile


def profile_of(name: str, raw: RawProfile) -> Profile:
    """Return the profile; raises InputError."""
    bases = {"server": SERVER, "client": CLIENT}
    if name in {*UNLISTED, CA_PROFILE}:
        hint = "choose another one: lists and reminders pass over those of CAs, proofs and OCSP responders"
        raise InputError("config.profile", f"not a name for a profile of yours: {name!r}", hint=hint)
    if raw.extends not in bases:
        raise InputError("config.extends", f"extends must be 'server' or 'client': {raw.extends!r}")
    if bases.get(name, bases[raw.extends]) is not bases[raw.extends]:
        raise InputError("config.extends", f"profile {name!r} extends {raw.extends!r}", hint="give it another name")
    base = bases[raw.extends]
    lifetime = parse_duration(raw.lifetime) if raw.lifetime else base.lifetime
    longest = parse_duration(raw.max_lifetime) if raw.max_lifetime else base.max_lifetime
    if lifetime > longest:
        raise InputError("config.lifetime", f"lifetime {lifetime.days}d is above max_lifetime {longest.days}d")
    if raw.permitted_domains == []:
        hint = "name one; without permitted_domains every name is permitted"
        raise InputError("config.empty", "permitted_domains names no domain", hint=hint)
    domains = tuple(str(dns_name(domain).value) for domain in raw.permitted_domains or ())
    return replace(
        base,
        name=name,
        lifetime=lifetime,
        max_lifetime=longest,
        max_is_set=raw.max_lifetime is not None,
        permitted_domains=domains,
        wildcards=base.wildcards if raw.wildcards is None else raw.wildcards,
        min_rsa_bits=base.min_rsa_bits if raw.min_rsa_bits is None else raw.min_rsa_bits,
    )
