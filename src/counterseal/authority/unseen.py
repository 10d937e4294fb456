"""Sites that are served although no master of nginx is found: its pid file is gone, it was killed, or runs elsewhere.

That no master is found does not say that nobody gets in. So before that is believed the sockets of the sites are asked.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, NamedTuple

from counterseal.authority.another import was_started_from
from counterseal.authority.endpoints import endpoints_in
from counterseal.errors import NginxError, shell_line
from counterseal.nginx.generations import list_generations
from counterseal.nginx.process import MASTER, WORKER, is_master_of
from counterseal.nginx.proctable import listeners_on, read_title
from counterseal.nginx.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from counterseal.authority.ground import Ground
    from counterseal.handshake.observation import Endpoint

_SECONDS = 2.0
_STARTING = 1.0
"""Seconds in which an nginx that accepts connections has written its pid file."""


class Unseen(NamedTuple):
    """What accepts connections where no master is found: at which address, and which processes hold the sockets."""

    at: Endpoint
    holders: tuple[int, ...]


def find_unseen(ground: Ground) -> Unseen | None:
    """Return what accepts connections at an address of ours while no master is found; None where nobody gets in."""
    nginx = ground.place.nginx
    if ground.in_force is None or nginx.master_pid() is not None:
        return None
    found = [endpoint for endpoint in _endpoints(ground) if _accepts(endpoint)]
    if not found or wait_until(lambda: nginx.master_pid() is not None, within=_STARTING, clock=nginx.clock):
        return None
    return Unseen(found[0], tuple(sorted({pid for one in found for pid in listeners_on(one.host, one.port)})))


def unseen_error(ground: Ground, unseen: Unseen) -> NginxError:
    """Return the error ``nginx.unseen``: what was seen, and what is to be done by hand."""
    target = ground.place.nginx.target
    titles = {pid: read_title(pid) for pid in unseen.holders}
    masters = [pid for pid, title in titles.items() if title.startswith(MASTER)]
    workers = [pid for pid, title in titles.items() if title.startswith(WORKER)]
    named = [f"{title}: {', '.join(map(str, pids))}" for title, pids in _by_title(titles)]
    held = f", held by {'; '.join(named)}" if named else ""
    others = [pid for pid in masters if not is_master_of(target, titles[pid])]
    left = [pid for pid in masters if not target.owned and was_started_from(ground.place.base, titles[pid])]
    if left:
        end = shell_line("kill", "-QUIT", *left)
        todo = f"the private nginx of before has that port: end it ({end}), then start yours: {target.start}"
    elif others:
        todo = f"another nginx has that port ({shell_line('kill', others[0])} ends it): free it, or choose another one"
    elif len(masters) == 1:
        todo = (
            f"reload it by hand: {shell_line('kill', '-HUP', masters[0])}; its number should stand in {target.pid_file}"
        )
    elif workers and not masters:
        todo = f"end these workers, whose master is gone: {shell_line('kill', *workers)}; then start it: {target.start}"
    else:
        todo = "find what listens there, and have it read its configuration (nginx -s reload), or end it"
    return NginxError(
        "nginx.unseen",
        f"no master of nginx is found in {target.pid_file}, but {unseen.at} accepts connections{held}",
        hint=todo,
    )


def _by_title(titles: Mapping[int, str]) -> Iterator[tuple[str, list[int]]]:
    for title in dict.fromkeys(titles.values()):
        yield title, [pid for pid, its in titles.items() if its == title]


def is_served(ground: Ground) -> bool:
    """Whether somebody may get in: nginx runs, or something answers in its place."""
    return ground.in_force is not None and (
        ground.place.nginx.master_pid() is not None or find_unseen(ground) is not None
    )


def require_seen(ground: Ground) -> None:
    """Raise NginxError ``nginx.unseen`` where something serves the sites and no master of it is found."""
    if unseen := find_unseen(ground):
        raise unseen_error(ground, unseen)


def _endpoints(ground: Ground) -> tuple[Endpoint, ...]:
    """Return the addresses of the generation in force, and of the one proved last, which nginx may still serve."""
    proven = [one.number for one in list_generations(ground.place.base) if one.proven]
    numbers = {*proven[-1:], *([] if ground.in_force is None else [ground.in_force])}
    directories = map(ground.place.directories.directory, sorted(numbers))
    return tuple(dict.fromkeys(at for directory in directories for at in endpoints_in(directory)))


def _accepts(endpoint: Endpoint) -> bool:
    try:
        with socket.create_connection((endpoint.host, endpoint.port), timeout=_SECONDS):
            return True
    except TimeoutError:
        return True  # its queue is full: somebody listens, and nobody knows who
    except OSError:
        return False
