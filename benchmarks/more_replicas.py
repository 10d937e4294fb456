"""More replicas of a service whose store is in PostgreSQL: a home each, with the same configuration and keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from service_process import Running, running

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

REPLICAS = 3


def start_replicas(stack: ExitStack, home: Path, more: int = REPLICAS - 1) -> list[Running]:
    """Start so many more, each on ports of its own; they end with the stack."""
    started = []
    for number in range(1, more + 1):
        other = home.with_name(f"{home.name}{number}")
        other.mkdir()
        text = (home / "counterseal.toml").read_text()
        text = re.sub(r"(?m)^http_listen = .*$", 'http_listen = "127.0.0.1:0"', text)
        (other / "counterseal.toml").write_text(text)
        (other / "keys").symlink_to(home / "keys")
        started.append(stack.enter_context(running(other)))
    return started
