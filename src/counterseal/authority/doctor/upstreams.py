"""What the sites lead to: whether a connection is taken there, of which no handshake and no proof tells.

Nothing is sent. A Unix socket is opened as nginx's workers open it, because root may open any.
"""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from counterseal.authority.doctor.check import Check, attention, ok
from counterseal.authority.unseen import is_served
from counterseal.files import reason_of
from counterseal.nginx.proctable import Identity, identity_of
from counterseal.nginx.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterseal.authority.ground import Ground
    from counterseal.authority.served import ServedSite
    from counterseal.nginx.any_site import AnySite

_SECONDS = 1.0
_AT_ONCE = 16
_UNIX = "unix:"


def check_upstreams(ground: Ground, served: Sequence[ServedSite]) -> Iterator[Check]:
    """Yield for each site whether its upstreams take connections; nothing where none is served."""
    if not is_served(ground):
        return
    workers = ground.place.nginx.worker_pids()
    worker = identity_of(workers[-1]) if workers else None
    upstreams = {one.site.name: tuple(dict.fromkeys(up.address for up in one.site.upstreams)) for one in served}
    found = _try_all({address for addresses in upstreams.values() for address in addresses}, worker)
    for one in served:
        tried = [address for address in upstreams[one.site.name] if address in found]
        faults = [_fault(one.site, address, error) for address in tried if (error := found[address]) is not None]
        yield from faults
        if tried and not faults:
            yield ok("upstream", one.site.name, f"connections are taken at {', '.join(tried)}")


def _fault(site: AnySite, address: str, error: OSError) -> Check:
    answer = "closes the connection of whoever is led there"
    if isinstance(site, Site):
        status = "504, in its own time," if isinstance(error, TimeoutError) else "502"
        answer = f"answers {status} to whoever is led there"
    mend = f"start what should listen at {address}, or correct upstream in counterseal.toml and deploy"
    if isinstance(error, PermissionError) and address.startswith(_UNIX):
        path = address.removeprefix(_UNIX)
        mend = f"let the user of nginx's workers write to {path}, and pass through the directories above it"
    told = f"no connection to {address}: {reason_of(error)}; nginx {answer}"
    return attention("upstream", site.name, told, mend)


def _try_all(addresses: set[str], worker: Identity | None) -> dict[str, OSError | None]:
    """Return by address why no connection is made; what only another user could tell, or a name server, is left out."""
    sockets = sorted(address for address in addresses if address.startswith(_UNIX))
    found: dict[str, OSError | None] = {}
    with suppress(OSError), _acting_as(worker):  # another user than root cannot
        found.update((address, _try_socket(address.removeprefix(_UNIX))) for address in sockets)
    others = sorted(addresses.difference(sockets))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found.update(zip(others, pool.map(_try_port, others), strict=True))
    return {address: error for address, error in found.items() if not isinstance(error, socket.gaierror)}


def _try_socket(path: str) -> OSError | None:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(_SECONDS)
        try:
            line.connect(path)
        except OSError as error:
            return error
    return None


def _try_port(address: str) -> OSError | None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS).close()
    except OSError as error:
        return error
    return None


@contextmanager
def _acting_as(worker: Identity | None) -> Iterator[None]:
    """Have the rights of nginx's workers for a moment; raises PermissionError where this user cannot."""
    mine = Identity(os.geteuid(), os.getegid(), tuple(os.getgroups()))
    if worker is None or worker.user == mine.user:
        yield
        return
    os.setgroups(worker.groups)
    try:
        os.setegid(worker.group)
        os.seteuid(worker.user)
        yield
    finally:
        os.seteuid(mine.user)
        os.setegid(mine.group)
        os.setgroups(mine.groups)
