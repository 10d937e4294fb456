"""The nginx that serves the sites of a home: found, asked for its version, and laid out."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.authority.ground import SETTINGS_FILE, Ground
from counterseal.compose.user_nginx import read_user_tree, refuse_collisions, taken_directives
from counterseal.config.load import parse_settings
from counterseal.errors import NginxError
from counterseal.files import read_file
from counterseal.nginx.binary import find_nginx, read_version
from counterseal.nginx.claims import ends_old_workers
from counterseal.nginx.generations import Directories, read_current
from counterseal.nginx.process import NginxProcess
from counterseal.nginx.render import Layout
from counterseal.nginx.render.main import stream_module
from counterseal.nginx.site import Site
from counterseal.nginx.target import HTTP_FILE, STREAM_FILE, private_target, running_target
from counterseal.nginx.undo import Limits, Place
from counterseal.nginx.version import parse_version
from counterseal.nginx.waiting import system_clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.config.settings import Settings
    from counterseal.nginx.any_site import AnySite
    from counterseal.nginx.version import NginxVersion

_WORKER_USERS = ("www-data", "nginx", "nobody")
"""Debian's, nginx.org's and everybody's; nginx wants a group of the same name."""


def open_ground(home: Path, settings: Settings, *, snippets: Path | None = None) -> Ground:
    """Return where the configured sites are deployed; raises NginxError when there is no nginx.

    ``snippets``: they are parts of server blocks that the user has, whose names nobody takes from him, and lie here.
    """
    binary = find_nginx(settings.nginx.binary)
    version = parse_version(read_version(binary))
    base = nginx_directory(home)
    owned = settings.nginx.config is None
    target = (
        private_target(base, binary=binary)
        if owned
        else running_target(
            binary,
            version,
            conf=settings.nginx.config,
            include_file=settings.nginx.include_file,
            unit=settings.nginx.unit,
            included=_included([one.site for one in settings.sites]),
        )
    )
    _require_stream_module(settings, version, owned=owned)

    def answers(number: int) -> bool:
        return _answers(number, [one.site for one in settings.sites])

    taken, stream_taken, ends_old = frozenset[str](), frozenset[str](), True
    if not owned:
        tree = read_user_tree(target.conf, ours=snippets or base)
        refuse_collisions(tree, [] if snippets else [one.site for one in settings.sites])
        taken, stream_taken = taken_directives(tree), taken_directives(tree, "stream")
        ends_old = ends_old_workers(tree)
    layout = Layout(
        current=base / "current",
        run=base / "run",
        prove_socket=base / "run" / "prove.sock",
        worker_user=settings.nginx.user or _worker_user(base),
        owns_main=owned,
        shutdown_timeout=max(1, int(settings.nginx.worker_shutdown_timeout.total_seconds())),
        taken=taken,
        stream_taken=stream_taken,
    )
    place = Place(base, NginxProcess(target, system_clock()), answers)
    return Ground(home, place, version, layout, ends_old, settings.content)


def settings_in_force(home: Path) -> Settings | None:
    """Return what ``settings_of_generation`` does of the one in force; None where none is."""
    number = read_current(nginx_directory(home))
    return None if number is None else settings_of_generation(home, number)


def settings_of_generation(home: Path, number: int) -> Settings | None:
    """Return what counterseal.toml said when a generation was made; None where it is of a time when none kept that.

    Raises ConfigError where that is read otherwise by now, a section at a time.
    """
    kept = Directories(nginx_directory(home)).directory(number) / SETTINGS_FILE
    if not kept.exists():
        return None
    return parse_settings(read_file(kept), home / SETTINGS_FILE, of_before=True).for_revocation()


def nginx_directory(home: Path) -> Path:
    """Return where the generations of a home are."""
    return (home / "nginx").resolve()


def _worker_user(base: Path) -> str | None:
    """Return whom the workers of a master that is root become: the first usual user, if he may reach our files."""
    if os.geteuid() != 0:
        return None
    if closed_to_workers(base) is not None:
        return "root"
    users = {user.pw_name for user in pwd.getpwall()} & {group.gr_name for group in grp.getgrall()}
    return next((name for name in _WORKER_USERS if name in users), "root")


def closed_to_workers(base: Path) -> Path | None:
    """Return the first directory on the way to our files that lets nobody else pass, so that workers stay root."""
    return next((path for path in reversed(base.parents) if path.exists() and not path.stat().st_mode & 0o001), None)


def _included(sites: Sequence[AnySite]) -> tuple[str, ...]:
    """Return which of our files the user's nginx has to read: those of the kinds that there are."""
    kinds = [HTTP_FILE] if any(isinstance(site, Site) for site in sites) or not sites else []
    return (*kinds, *([STREAM_FILE] if any(not isinstance(site, Site) for site in sites) else []))


def _answers(number: int, sites: Sequence[AnySite]) -> bool:
    """Whether the generation answers; a stream site has no page that says so, and is asked for a handshake only.

    A reload has waited until no old worker takes connections, so a stream's handshake is one with the new generation.
    """
    from counterseal.authority.endpoints import endpoint_of  # noqa: PLC0415 - only what deploys connects and proves
    from counterseal.handshake.attempt import attempt  # noqa: PLC0415 - same
    from counterseal.handshake.generation import wait_for_generation  # noqa: PLC0415 - same
    from counterseal.handshake.observation import Attempt  # noqa: PLC0415 - same

    if not sites:  # none can be read from the configuration: nobody knows whom to ask
        return True
    site = next((site for site in sites if isinstance(site, Site)), sites[0])
    endpoint, name = endpoint_of(site.listen[0]), site.server_names[0]
    seconds = Limits().answer  # with less, a busy machine's answer would be cut off each time that it is asked
    if isinstance(site, Site):
        return wait_for_generation(endpoint, number, server_name=name, timeout=seconds).answered
    return attempt(Attempt(endpoint, name, name, timeout=seconds)).tls_version is not None


def _require_stream_module(settings: Settings, version: NginxVersion, *, owned: bool) -> None:
    """Raise NginxError ``nginx.no_module`` where an nginx of our own would have to load a file that is not there."""
    needed = owned and STREAM_FILE in _included([one.site for one in settings.sites]) and "stream" in version.dynamic
    if needed and not Path(stream_module(version)).is_file():
        raise NginxError(
            "nginx.no_module",
            f"the stream module of this nginx is not installed: {stream_module(version)}",
            hint="install it (Debian: apt install libnginx-mod-stream)",
        )
