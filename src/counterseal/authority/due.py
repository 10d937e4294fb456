"""What has become due since the last deploy: certificates of sites, lists, and the list of known certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.authority.backend_certificate import KIND as UPSTREAM
from counterseal.authority.backend_certificate import needs_backend_certificate
from counterseal.authority.deployment import kept_in, render_sites
from counterseal.authority.generation_lists import has_newest_lists
from counterseal.authority.probes import ending_probes
from counterseal.authority.readmission import revoked_cas_in
from counterseal.authority.site_certificate import needs_certificate
from counterseal.errors import AmbiguousError, FileError, NotFoundError
from counterseal.files import read_file
from counterseal.nginx.generations import read_generation
from counterseal.nginx.render.inventory import KNOWN_FILE
from counterseal.nginx.site import Admit
from counterseal.pki.profile import UNLISTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.authority.ground import Ground
    from counterseal.authority.parts import Authority
    from counterseal.authority.served import ServedSite


def deploy_due(
    authority: Authority, served: Sequence[ServedSite], ground: Ground, *, stale: Sequence[str]
) -> tuple[bool, tuple[str, ...]]:
    """Say whether a deploy is due, ``stale`` lists included, and the sites whose certificate it would renew.

    Where nothing is deployed yet, none is: the first one is for a person to ask for.
    """
    if ground.in_force is None:
        return False, ()
    names = sites_due(authority, served, ground)
    is_due = (
        bool(stale or names or trusted_though_revoked(authority, ground))
        or is_outdated(authority, ground)
        or is_unproved(ground)
        or probes_due(authority, ground)
        or lacks_known(authority, served, ground)
    )
    return is_due, names


def trusted_though_revoked(authority: Authority, ground: Ground) -> tuple[str, ...]:
    """Return the revoked CAs that the generation in force still has nginx trust.

    No list tells where the key for the list of the CA above is away, and the command that revoked was ended too early.
    """
    if ground.in_force is None:
        return ()
    return revoked_cas_in(authority, ground.place.directories.directory(ground.in_force))


def sites_due(authority: Authority, served: Sequence[ServedSite], ground: Ground) -> tuple[str, ...]:
    """Return the sites with a certificate of ours that is to be replaced: its own, or the one for its backend."""
    return tuple(one.site.name for one in served if kinds_due(authority, one, ground))


def kinds_due(authority: Authority, one: ServedSite, ground: Ground) -> tuple[str, ...]:
    """Return which certificates of a site are to be replaced, by the kinds of ``site_certificate.keep``."""
    directory = kept_in(one, ground.home)
    own = one.certificate is None and needs_certificate(authority, one.site.server_names, directory)
    shown = needs_backend_certificate(authority, one, directory)
    return (*("server",) * own, *(UPSTREAM,) * shown)


def is_outdated(authority: Authority, ground: Ground) -> bool:
    """Whether a list was published after the generation in force was made, which therefore holds an older one."""
    if ground.in_force is None:
        return False
    return not has_newest_lists(authority, ground.place.directories.directory(ground.in_force))


def is_unproved(ground: Ground) -> bool:
    """Whether nginx was started with a generation that no proof could be made of while it did not run."""
    if ground.in_force is None or ground.place.nginx.master_pid() is None:
        return False
    return not read_generation(ground.place.base, ground.in_force).proven


def probes_due(authority: Authority, ground: Ground) -> bool:
    """Whether the probes of the generation in force end soon, with which it is proved: only a deploy makes new ones."""
    if ground.in_force is None:
        return False
    return bool(ending_probes(authority, ground.place.directories.directory(ground.in_force)))


def lacks_known(authority: Authority, served: Sequence[ServedSite], ground: Ground) -> bool:
    """Whether a site admits only known certificates and its list in force is not the one of today."""
    if ground.in_force is None or not any(one.site.admit is Admit.KNOWN for one in served):
        return False
    today = render_sites(authority, served, ground, generation=ground.in_force)[KNOWN_FILE].content
    try:
        kept = read_file(ground.place.directories.directory(ground.in_force) / KNOWN_FILE)
    except FileError:
        return True
    return kept != today and not (authority.store.is_shared and _differ_by_probes(authority, kept, today))


def _differ_by_probes(authority: Authority, one: bytes, other: bytes) -> bool:
    """Whether two lists of known certificates differ in probes alone: each host that shares a store has its own."""
    lines = set(one.decode().splitlines()) ^ set(other.decode().splitlines())
    numbers = (int(line.partition(":")[2].partition(" ")[0], 16) for line in lines)
    return all(_is_probe(authority, number) for number in numbers)


def _is_probe(authority: Authority, serial_number: int) -> bool:
    try:
        return authority.store.certificate(serial_number).profile in UNLISTED
    except (AmbiguousError, NotFoundError):  # two imported CAs count from 1, no probe does; a failover forgets the last
        return False
