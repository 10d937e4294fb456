"""The clients with which a new generation is proved: made for it, or those of the generation before.

The latter where the key of their CA is away: nobody else's lock-out waits for it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from counterseal.authority.probes import (
    end_of,
    has_probes,
    make_probes,
    read_probes,
    retire_good,
    serial_number_of,
    standing_of,
)
from counterseal.authority.site_material import client_cas
from counterseal.errors import FileError
from counterseal.moments import moment
from counterseal.nginx.generations import list_generations
from counterseal.nginx.site import Admit
from counterseal.store.records import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.authority.ground import Ground
    from counterseal.authority.parts import Authority
    from counterseal.authority.probes import Probes
    from counterseal.nginx.any_site import AnySite
    from counterseal.store.records import CARecord


def generation_probes(
    authority: Authority, sites: Sequence[AnySite], ground: Ground, *, keep: bool, may_lack: bool
) -> dict[str, Probes]:
    """Return the probes of each client CA of the sites, and retire those of the generation before.

    Of a CA whose key is away these stay, or there are none where they are good no more. A site that has none of any CA
    is NotFoundError ``key.missing``, but for ``may_lack``. ``keep``: as ``make_probes`` has it.
    """
    admitted = [(site, client_cas(authority, site)) for site in sites]
    listed: dict[CARecord, bool] = {}
    for site, record in ((site, record) for site, cas in admitted for record in cas):
        listed[record] = listed.get(record, False) or site.admit is Admit.KNOWN
    made = [record for record in listed if not authority.is_away(record)]
    kept = {record.name: _kept(authority, record, ground) for record in listed if record not in made}
    lacking = [cas for _, cas in admitted if cas and all(kept.get(one.name, one) is None for one in cas)]
    if lacking and not may_lack:
        authority.keystore.signer(lacking[0][0].key_id)
    for record in made:
        _retire(authority, record, ground)
    canaries = ground.home / "canaries"
    return {name: one for name, one in kept.items() if one is not None} | {
        record.name: make_probes(authority, record.name, canaries, with_unlisted=listed[record], keep=keep)
        for record in made
    }


def _retire(authority: Authority, ca: CARecord, ground: Ground) -> None:
    """Revoke the good probes of earlier generations of ours: another host that shares the store proves with its own."""
    if not authority.store.is_shared:
        retire_good(authority, ca.name)
        return
    ours: set[int] = set()
    for generation in list_generations(ground.place.base):
        with suppress(FileError):  # none, or damaged ones
            probes = read_probes(generation.directory, ca.name)
            ours.update(serial_number_of(one) for one in (probes.good, probes.unlisted) if one is not None)
    retire_good(authority, ca.name, only=ours)


def _kept(authority: Authority, ca: CARecord, ground: Ground) -> Probes | None:
    """Return the probes of the generation in force, as long as nginx lets the good one in."""
    if ground.in_force is None:
        return None
    directory = ground.place.directories.directory(ground.in_force)
    if not has_probes(directory, ca.name):
        return None
    try:
        probes = read_probes(directory, ca.name)
    except FileError:
        return None
    now, crl = authority.clock(), authority.store.latest_crl_times(ca.name)
    if end_of(probes.good) <= now or (crl is not None and moment(crl.next_update) <= now):
        return None
    return probes if standing_of(authority, probes.good, ca.name) == Status.VALID else None
