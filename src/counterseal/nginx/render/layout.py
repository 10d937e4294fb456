"""Where the rendered files will lie, and whether the main configuration is ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """Absolute paths: the ``current`` link through which nginx reads, the run directory, the prover's socket."""

    current: Path
    run: Path
    prove_socket: Path
    worker_user: str | None = None
    owns_main: bool = True
