"""The CAs by which nginx verifies an upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.lint.passing import passings
from counterseal.nginx.lint.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.lint.passing import Passing


def trusted(configuration: Configuration) -> Iterator[tuple[Passing, Store]]:
    """Yield each verified upstream with its store, where the file could be read."""
    for server in configuration.servers:
        for passing in passings(server):
            directive = passing.level.file(f"{passing.prefix}_trusted_certificate")
            file = configuration.file(directive)
            is_verified = passing.is_tls and passing.level.value(f"{passing.prefix}_verify") == "on"
            if is_verified and directive is not None and file is not None and file.fault is None:
                yield passing, Store(directive, file.certificates)
