"""From a table ``[sites.NAME]`` to a site of its kind; every fault of the table is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from counterseal.authority.served import ServedSite
from counterseal.config.convert_common import allow_of, choose, common_of, sockets_of
from counterseal.config.faults import Faults
from counterseal.config.meant import meant_choice
from counterseal.config.raw import RawSite, RawStreamSite
from counterseal.nginx.choices import ClientCertificates, IdentityHeaders, Sessions
from counterseal.nginx.site import Location, Site
from counterseal.nginx.stream_site import StreamSite

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from counterseal.config.raw import RawLocation

KINDS: dict[str, type[RawSite | RawStreamSite]] = {"http": RawSite, "stream": RawStreamSite}


def kind_of(content: object) -> type[RawSite | RawStreamSite]:
    """Return what a table may hold, by its ``kind``; of an unknown one by what was meant, and ``site_of`` notes it."""
    kind = str(content.get("kind", "http") if isinstance(content, dict) else "http")
    return KINDS[meant_choice(kind, KINDS) or "http"]


def site_of(name: str, raw: RawSite | RawStreamSite, path: Callable[[str | None], Path | None]) -> ServedSite:
    """Return the site; ``path`` makes a path relative to the configuration file absolute.

    Raises ConfigError ``site.invalid`` with every fault.
    """
    faults = Faults()
    if raw.kind not in KINDS:
        faults.note_choice("kind", raw.kind, KINDS)
    common = common_of(name, raw, path, faults)
    if isinstance(raw, RawStreamSite):
        site: Site | StreamSite | None = faults.attempt(lambda: StreamSite(**common.fields), None)
    else:
        fields = _http_fields(raw, path, faults)
        site = faults.attempt(lambda: Site(**common.fields, **fields), None)
    faults.refuse()
    assert site is not None  # noqa: S101 - else there was a fault
    return ServedSite(site, path(raw.certificate), path(raw.certificate_key), common.backend)


def _http_fields(raw: RawSite, path: Callable[[str | None], Path | None], faults: Faults) -> dict[str, Any]:
    locations = (
        _location(location, f"locations[{index}]", path, faults) for index, location in enumerate(raw.locations)
    )
    return {
        "root": None if raw.root is None else str(path(raw.root)),
        "locations": tuple(location for location in locations if location is not None),
        "identity_headers": choose(IdentityHeaders, raw.identity_headers, "identity_headers", faults),
        "redirect_from": sockets_of(raw.redirect_from, "redirect_from", faults),
        "hsts": raw.hsts,
        "sessions": choose(Sessions, raw.sessions, "sessions", faults),
    }


def _location(
    raw: RawLocation, table: str, path: Callable[[str | None], Path | None], faults: Faults
) -> Location | None:
    demand, allow = raw.client_certificates, allow_of(raw.allow, table, faults)
    mode = None if demand is None else choose(ClientCertificates, demand, f"{table}.client_certificates", faults)
    root = None if raw.root is None else str(path(raw.root))
    return faults.attempt(lambda: Location(raw.path, mode, allow, raw.upstream, root), None, table)
