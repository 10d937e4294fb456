"""Where sites are deployed, and where a generation of theirs is proved: paths and an nginx, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.fileset import SECRET, FileSet, PlannedFile
from counterseal.nginx.generations import read_current

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.authority.served import ServedSite
    from counterseal.nginx.render import Layout
    from counterseal.nginx.undo import Place
    from counterseal.nginx.version import NginxVersion

SETTINGS_FILE = "counterseal.toml"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a proof is played: the directory of the generation, its number, and the sockets of the prover."""

    generation: Path
    number: int
    prove_socket: Path
    prove_tls_socket: Path
    stream_sockets: tuple[Path, Path]
    """Where streams of this generation lead a probe: the one that is let in, and the one that an allow list refuses."""
    own_certificate: frozenset[str] = frozenset()
    """The sites whose server certificate is the user's own, of a CA that we do not know."""
    own_backend: frozenset[str] = frozenset()
    """The sites whose TLS backends have certificates of another CA than ours."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Where sites are deployed: the home of the CA, the nginx that serves them, and how it is laid out."""

    home: Path
    place: Place
    version: NginxVersion
    layout: Layout
    ends_old: bool = True
    """Whether nginx ends what old workers still serve after a time (``worker_shutdown_timeout``)."""
    settings: bytes = field(default=b"", repr=False)
    """The counterseal.toml by which it is laid out."""

    def stage(self, number: int, served: Sequence[ServedSite]) -> Stage:
        """Return where a generation of these sites is proved."""
        directory = self.place.directories.directory(number)
        own = frozenset(one.site.name for one in served if one.certificate is not None)
        foreign = frozenset(one.site.name for one in served if not one.proves_backend)
        layout = self.layout
        return Stage(
            directory,
            number,
            Path(layout.prove_socket),
            Path(layout.prove_tls_socket),
            (Path(layout.prove_stream_socket(number)), Path(layout.prove_stream_socket(number, listed=False))),
            own,
            foreign,
        )

    @property
    def kept(self) -> FileSet:
        """What a generation keeps of where it came from: to make another by, when the file is refused one day."""
        return FileSet((PlannedFile(SETTINGS_FILE, self.settings, SECRET),) if self.settings else ())

    @property
    def in_force(self) -> int | None:
        """The number of the generation in force."""
        return read_current(self.place.base)
