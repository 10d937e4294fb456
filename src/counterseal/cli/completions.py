"""What a shell offers after TAB: names of certificates, CAs, profiles and sites of the home at hand.

Looks and never speaks: a home that is not there, locked or faulty offers nothing. The file names a shell offers anyway.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.compose.place import default_home
from counterseal.errors import CountersealError
from counterseal.pki.profile import PROBES, UNLISTED
from counterseal.store.records import Query

if TYPE_CHECKING:
    import click

    from counterseal.config.settings import Settings
    from counterseal.store.store import Store

_OFFERED = 200


def complete_certificates(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Offer the names of certificates that begin so."""
    query = Query(name=incomplete or None, without_profiles=UNLISTED, limit=_OFFERED)
    with suppress(CountersealError), _open_store(ctx) as store:
        names = (record.name for record in store.search(query).records)
        return sorted({name for name in names if name.startswith(incomplete)})
    return []


def complete_cas(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Offer the names of CAs that begin so."""
    with suppress(CountersealError), _open_store(ctx) as store:
        return [record.name for record in store.cas() if record.name.startswith(incomplete)]
    return []


def complete_profiles(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Offer the names of profiles that begin so."""
    with suppress(CountersealError):
        known = _settings(ctx).rules.profiles
        return [name for name in known if name.startswith(incomplete) and name not in PROBES]
    return []


def complete_sites(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Offer the names of sites that begin so."""
    with suppress(CountersealError):
        names = (one.site.name for one in _settings(ctx).sites)
        return [name for name in names if name.startswith(incomplete)]
    return []


def _open_store(ctx: click.Context) -> Store:
    from counterseal.compose.stores import open_store  # noqa: PLC0415 - the commands themselves may need no store

    return open_store(_home(ctx), _settings(ctx).store, busy_seconds=1)


def _settings(ctx: click.Context) -> Settings:
    from counterseal.compose.home import settings_of  # noqa: PLC0415 - same

    return settings_of(_home(ctx))


def _home(ctx: click.Context) -> Path:
    given = ctx.params.get("home") or os.environ.get("COUNTERSEAL_HOME")
    return Path(given) if given else default_home()
