"""Where the service listens, what it calls itself, and the certificate that it shows."""

from __future__ import annotations

import os
import resource
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.site_certificate import CHAIN, KEY, ensure_server_certificate
from counterseal.errors import FileError, InputError
from counterseal.files import read_file, reason_of
from counterseal.pki.profile import Purpose
from counterseal.service.log import log
from counterseal.service.origin import Origin
from counterseal.service.tls import admit_clients, load_certificate, server_context

if TYPE_CHECKING:
    import ssl
    from datetime import datetime

    from counterseal.authority.parts import Authority
    from counterseal.service.access import Access
    from counterseal.service.settings import Address, ServeSettings

OWN_NAME = "serve"
BACKLOG = 1_024
CONNECTIONS, HANDSHAKES = 4_000, 1_000
_FILES, _OTHER_FILES = 16_384, 256
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - compared with, not bound


def allow_open_files() -> None:
    """Raise the usual limit of 1,024 open files as far as this process may, and as it has use for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def connection_limits() -> tuple[int, int]:
    """Return how many connections and handshakes there may be, so that files are left for the store and the keys."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return CONNECTIONS, HANDSHAKES
    files = max(5, soft - _OTHER_FILES)
    handshakes = min(HANDSHAKES, files // 5)
    return min(CONNECTIONS, files - handshakes), handshakes


def bind(address: Address, setting: str = "--listen") -> socket.socket:
    """Return a listening socket; raises FileError ``serve.listen``, whose hint names the ``setting``.

    A socket file that a dead process left is replaced.
    """
    try:
        if address.unix:
            return _bind_unix(Path(address.unix))
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        return socket.create_server((address.host, address.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise FileError(
            "serve.listen",
            f"cannot listen on {address}: {reason_of(error).partition(' (')[0]}",  # what Python adds is the address
            hint=f"choose another {setting}, or stop what has it",
        ) from error


def _bind_unix(path: Path) -> socket.socket:
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode) and not _answers(path):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o660)  # the group's: that of the nginx in front
    listener.listen(BACKLOG)
    return listener


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0


def shown_address(listener: socket.socket) -> str:
    """Return where the socket listens, with the port it really has."""
    name = listener.getsockname()
    if isinstance(name, str):
        return f"unix:{name}"
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"


def origin_of(settings: ServeSettings, listener: socket.socket) -> Origin:
    """Return what the service is called; raises InputError ``serve.public_url`` for a Unix socket without one."""
    if listener.family == socket.AF_UNIX:
        if not settings.public_url:
            raise InputError(
                "serve.public_url",
                f"behind a proxy the service must know how clients reach it: {settings.listen}",
                hint='set public_url = "https://ca.example.com" in [serve] of counterseal.toml',
            )
        return Origin(settings.names, 443, settings.public_url)
    host, port, *_ = listener.getsockname()
    return Origin(settings.names or _default_names(host), port, settings.public_url)


def _default_names(host: str) -> tuple[str, ...]:
    names = [socket.getfqdn().lower(), "localhost"] if host in _EVERYWHERE else [host, "localhost"]
    return tuple(dict.fromkeys(names))


class OwnCertificate:
    """The certificate that the service shows: the user's own files, or one that its CA issues and renews for it."""

    def __init__(self, home: Path, settings: ServeSettings, names: tuple[str, ...]) -> None:
        self._directory = home / OWN_NAME
        self._names = names
        self._issued = settings.certificate is None or settings.certificate_key is None
        self._certificate = settings.certificate or self._directory / CHAIN
        self._key = settings.certificate_key or self._directory / KEY
        self._seen: tuple[int, int] | None = None
        self._context: ssl.SSLContext | None = None
        self._ends: datetime | None = None

    def ends(self) -> datetime:
        """Return when the certificate that is served ends."""
        assert self._ends is not None  # noqa: S101 - opened first
        return self._ends

    def open(self, authority: Authority) -> ssl.SSLContext:
        """Issue one if need be, and return the context that serves it; raises RefusedError, InputError, FileError."""
        self._ensure(authority)
        seen = self._versions()
        self._context = server_context(self._certificate, self._key)
        admit_clients(self._context, _client_cas(authority))
        self._note(seen)
        return self._context

    async def renew(self, access: Access) -> None:
        """Issue a new one when it is due, and serve what is there now: also files that somebody else replaced.

        Clients of a CA that was added meanwhile are admitted too.
        """
        assert self._context is not None  # noqa: S101 - opened first
        await access.apart(self._ensure)
        admit_clients(self._context, await access.read(_client_cas))
        if self._versions() != self._seen:
            self.reload()

    def reload(self) -> None:
        """Serve what the files hold now; when they cannot be served, the old certificate stays."""
        assert self._context is not None  # noqa: S101 - opened first
        seen = self._versions()
        load_certificate(self._context, self._certificate, self._key)
        self._note(seen)
        log("own certificate loaded", certificate=str(self._certificate))

    def _ensure(self, authority: Authority) -> None:
        if self._issued:
            ensure_server_certificate(authority, OWN_NAME, self._names, self._directory)

    def _note(self, seen: tuple[int, int]) -> None:
        """Keep which versions of the files were there before they were read: later ones are others."""
        self._seen = seen
        self._ends = x509.load_pem_x509_certificate(read_file(self._certificate)).not_valid_after_utc

    def _versions(self) -> tuple[int, int]:
        try:
            return (os.stat(self._certificate).st_mtime_ns, os.stat(self._key).st_mtime_ns)  # noqa: PTH116 - one call a file
        except OSError as error:
            raise FileError("file.read", f"cannot read {self._certificate} or {self._key}") from error


def _client_cas(authority: Authority) -> list[bytes]:
    return [one.certificate for one in authority.cas_for(Purpose.CLIENT)]
