"""Where a site is reached, from this machine: by its settings, or by the configuration of a generation."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.files import read_file
from counterseal.handshake.observation import Endpoint
from counterseal.nginx.listen import Listen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LISTEN = re.compile(rb"^\s*listen ([^\s;]+)", re.MULTILINE)


def endpoint_of(listen: Listen) -> Endpoint:
    """Return where to connect to reach a listening address; a wildcard is reached over loopback."""
    return Endpoint(listen.reached_at, listen.port)


def endpoints_in(generation: Path) -> tuple[Endpoint, ...]:
    """Return where nginx is reached that serves the generation in this directory."""
    texts = (read_file(path) for path in sorted(generation.rglob("*.conf")))
    return tuple(dict.fromkeys(at for text in texts for found in _LISTEN.findall(text) for at in _endpoint(found)))


def _endpoint(text: bytes) -> Iterator[Endpoint]:
    with suppress(InputError):  # a Unix socket of the proof
        yield endpoint_of(Listen.parse(text.decode("ascii", "replace")))
