"""Where a rendered configuration will lie, and where what it writes at run time goes.

Every file is named through ``current``, the link that a deploy switches, so a generation never names itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from counterseal.errors import InputError

if TYPE_CHECKING:
    from pathlib import PurePath

    from counterseal.nginx.any_site import AnySite
    from counterseal.nginx.version import NginxVersion

# An include is a pattern to nginx, a colon ends a Unix socket, and "$" has no escape.
_PATH = re.compile(r"(?:/[^/\x00-\x1f\x7f$\"'\\{};:*?\[\]#]+)+")
LONGEST_SOCKET = 107  # sun_path of unix(7), less its closing zero
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")


@dataclass(frozen=True, slots=True)
class Layout:
    """Absolute places. Raises InputError ``nginx.layout`` for a path that nginx would misread.

    ``current``: the link to the generation in force. ``run``: pid file and temporary files, and the logs unless
    ``logs`` says otherwise. ``prove_socket``: the Unix socket on which the proof plays the upstream. ``worker_user``:
    whom the workers run as when the master is root. ``owns_main``: whether the whole of nginx is ours; else one file of
    ours is included in the user's http block. ``taken`` and ``stream_taken``: names of the directives that the user's
    http and stream blocks have themselves (``claims.find_block_directives``), which we may not repeat.
    ``shutdown_timeout``: seconds that connections of an old worker may go on after a reload, the bound on a revoked
    client's running stream.
    """

    current: PurePath
    run: PurePath
    prove_socket: PurePath
    worker_user: str | None = None
    owns_main: bool = True
    logs: PurePath | None = None
    taken: frozenset[str] = frozenset()
    shutdown_timeout: int = 30
    stream_taken: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for path in (self.current, self.run, self.prove_socket, self.logs or self.run):
            if not _PATH.fullmatch(str(path)) or ".." in path.parts:
                hint = "use an absolute path with none of $\"'\\{};:*?[]# in it"
                raise InputError("nginx.layout", f"nginx cannot take this path: {str(path)[:200]!r}", hint=hint)
        longest = max(
            self.prove_socket, self.prove_stream_socket(99_999, listed=False), key=lambda path: len(bytes(path))
        )
        if len(bytes(longest)) > LONGEST_SOCKET:
            hint = f"a Unix socket has room for {LONGEST_SOCKET} octets: choose a shorter directory"
            raise InputError("nginx.layout", f"path of the socket is too long: {longest}", hint=hint)
        if self.worker_user is not None and not _USER.fullmatch(self.worker_user):
            raise InputError("nginx.layout", f"not a user name: {self.worker_user[:80]!r}")

    def place(self, path: str) -> str:
        """Return a file of the generation as nginx is to open it, quoted."""
        return f'"{self.current}/{path}"'

    def running(self, name: str) -> str:
        """Return a file of the run directory, quoted."""
        return f'"{self.run}/{name}"'

    def prove_stream_socket(self, generation: int, *, listed: bool = True) -> PurePath:
        """Return the Unix socket on which the proof plays the backend of streams, for this generation alone.

        To the one that is not ``listed`` leads an allow list what it refuses.
        """
        return self.prove_socket.with_name(f"{generation}{'' if listed else '-no'}.sock")

    @property
    def prove_tls_socket(self) -> PurePath:
        """The Unix socket on which the proof plays the backend that speaks TLS."""
        return self.prove_socket.with_name(f"{self.prove_socket.stem}-tls{self.prove_socket.suffix}")

    def log(self, name: str) -> str:
        """Return a log file, quoted."""
        return f'"{self.logs or self.run}/{name}"'


class Rendering(NamedTuple):
    """What all files of a generation are written by: for which nginx, its number, and where things lie."""

    version: NginxVersion
    generation: int
    layout: Layout


def file_of(site: AnySite, kind: str) -> str:
    """Return the path, inside a generation, of one file of a site."""
    return f"sites/{site.name}.{kind}"
