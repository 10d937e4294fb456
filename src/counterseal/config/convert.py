"""From raw tables to the values of the rooms: a profile, a site."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from counterseal.authority.served import BackendFiles, ServedSite
from counterseal.config.convert_upstream import upstream_tls_of
from counterseal.duration import parse_duration
from counterseal.errors import InputError
from counterseal.nginx.site import (
    Admit,
    Allow,
    ClientCertificates,
    IdentityHeaders,
    Listen,
    Location,
    Revocation,
    Sessions,
    Site,
    TLSProfile,
)
from counterseal.pki.names import dns_name
from counterseal.pki.profile import CLIENT, SERVER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from counterseal.config.raw import RawAllow, RawLocation, RawProfile, RawSite
    from counterseal.pki.profile import Profile

DEFAULT_CLIENT_CA = "clients"

ChoiceT = TypeVar("ChoiceT", bound=StrEnum)


def profile_of(name: str, raw: RawProfile) -> Profile:
    """Return the profile; raises InputError."""
    bases = {"server": SERVER, "client": CLIENT}
    if raw.extends not in bases:
        raise InputError("config.extends", f"extends must be 'server' or 'client': {raw.extends!r}")
    base = bases[raw.extends]
    lifetime = parse_duration(raw.lifetime) if raw.lifetime else base.lifetime
    longest = parse_duration(raw.max_lifetime) if raw.max_lifetime else base.max_lifetime
    if lifetime > longest:
        raise InputError("config.lifetime", f"lifetime {lifetime.days}d is above max_lifetime {longest.days}d")
    domains = tuple(str(dns_name(domain).value) for domain in raw.permitted_domains or ())
    return replace(
        base,
        name=name,
        lifetime=lifetime,
        max_lifetime=longest,
        permitted_domains=domains,
        wildcards=base.wildcards if raw.wildcards is None else raw.wildcards,
        min_rsa_bits=base.min_rsa_bits if raw.min_rsa_bits is None else raw.min_rsa_bits,
    )


def site_of(name: str, raw: RawSite, path: Callable[[str | None], Path | None]) -> ServedSite:
    """Return the site; ``path`` makes a path relative to the configuration file absolute. Raises InputError."""
    if (raw.certificate is None) != (raw.certificate_key is None):
        raise InputError("config.certificate", "certificate and certificate_key go together: one of them is missing")
    mode = _choice(ClientCertificates, raw.client_certificates, "client_certificates")
    tls, backend = upstream_tls_of(raw.upstream_tls, path) if raw.upstream_tls else (None, BackendFiles())
    site = Site(
        name=name,
        server_names=tuple(raw.server_names),
        listen=tuple(Listen.parse(str(text)) for text in raw.listen),
        client_certificates=mode,
        client_cas=tuple(raw.client_cas) or ((DEFAULT_CLIENT_CA,) if mode is not ClientCertificates.NONE else ()),
        upstream=raw.upstream,
        upstream_tls=tls,
        root=None if raw.root is None else str(path(raw.root)),
        locations=tuple(_location(location, path) for location in raw.locations),
        allow=_allow(raw.allow),
        revocation=_choice(Revocation, raw.revocation, "revocation"),
        admit=_choice(Admit, raw.admit, "admit"),
        identity_headers=_choice(IdentityHeaders, raw.identity_headers, "identity_headers"),
        tls=_choice(TLSProfile, raw.tls, "tls"),
        redirect_from=tuple(Listen.parse(str(text)) for text in raw.redirect_from),
        hsts=raw.hsts,
        sessions=_choice(Sessions, raw.sessions, "sessions"),
    )
    return ServedSite(site, path(raw.certificate), path(raw.certificate_key), backend)


def _location(raw: RawLocation, path: Callable[[str | None], Path | None]) -> Location:
    demand = raw.client_certificates
    return Location(
        path=raw.path,
        client_certificates=None if demand is None else _choice(ClientCertificates, demand, "client_certificates"),
        allow=_allow(raw.allow),
        upstream=raw.upstream,
        root=None if raw.root is None else str(path(raw.root)),
    )


def _allow(raw: RawAllow) -> Allow:
    return Allow(tuple(raw.subjects), tuple(raw.groups), tuple(_serial(text) for text in raw.serial_numbers))


def _serial(text: str) -> int:
    try:
        return int(text.replace(":", ""), 16)
    except ValueError:
        raise InputError("config.serial", f"not a serial number in hex: {text!r}") from None


def _choice(kind: type[ChoiceT], text: str, key: str) -> ChoiceT:
    try:
        return kind(text)
    except ValueError:
        raise InputError(
            "config.choice", f"not a value for {key}: {text!r}", hint=f"choose one of {', '.join(kind)}"
        ) from None
