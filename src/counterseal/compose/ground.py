"""The nginx that serves the sites of a home: found, asked for its version, and laid out."""

from __future__ import annotations

import grp
import os
import pwd
from typing import TYPE_CHECKING

from counterseal.authority.deployment import Ground
from counterseal.authority.proof import endpoint_of
from counterseal.compose.user_nginx import read_user_tree, refuse_collisions, taken_directives
from counterseal.handshake.generation import wait_for_generation
from counterseal.nginx.binary import find_nginx, read_version
from counterseal.nginx.process import NginxProcess
from counterseal.nginx.render import Layout
from counterseal.nginx.target import private_target, running_target
from counterseal.nginx.undo import Place
from counterseal.nginx.version import parse_version
from counterseal.nginx.waiting import system_clock

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.config.settings import Settings

_WORKER_USERS = ("www-data", "nginx", "nobody")
"""Debian's, nginx.org's and everybody's; nginx wants a group of the same name."""


def open_ground(home: Path, settings: Settings) -> Ground:
    """Return where the configured sites are deployed; raises NginxError when there is no nginx."""
    binary = find_nginx(settings.nginx.binary)
    version_text = read_version(binary)
    version = parse_version(version_text)
    base = (home / "nginx").resolve()
    owned = settings.nginx.config is None
    target = (
        private_target(base, binary=binary)
        if owned
        else running_target(
            binary,
            version_text,
            conf=settings.nginx.config,
            include_file=settings.nginx.include_file,
            unit=settings.nginx.unit,
        )
    )

    def answers(number: int) -> bool:
        first = settings.sites[0].site
        name = first.server_names[0]
        waited = wait_for_generation(endpoint_of(first.listen[0]), number, server_name=name, timeout=1.0)
        return waited.answered

    layout = Layout(
        current=base / "current",
        run=base / "run",
        prove_socket=base / "run" / "prove.sock",
        worker_user=settings.nginx.user or _worker_user(base),
        owns_main=owned,
        shutdown_timeout=max(1, int(settings.nginx.worker_shutdown_timeout.total_seconds())),
        taken=frozenset() if owned else _taken(target.conf, base, settings),
    )
    return Ground(home, Place(base, NginxProcess(target, system_clock()), answers), version, layout)


def _worker_user(base: Path) -> str | None:
    """Return whom the workers of a master that is root become: the first usual user, if he may reach our files."""
    if os.geteuid() != 0:
        return None
    searchable = all(path.stat().st_mode & 0o001 for path in base.parents if path.exists())
    users = {user.pw_name for user in pwd.getpwall()} & {group.gr_name for group in grp.getgrall()}
    return next((name for name in _WORKER_USERS if name in users), "root") if searchable else "root"


def _taken(conf: Path, base: Path, settings: Settings) -> frozenset[str]:
    tree = read_user_tree(conf, ours=base)
    refuse_collisions(tree, [one.site for one in settings.sites])
    return taken_directives(tree)
