"""From the raw tables ``[serve]`` and those of the faces to their settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.pki.names import parse_name
from counterseal.service.settings import Address, ServeSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from counterseal.config.raw import RawServe


def serve_settings_of(raw: RawServe, path: Callable[[str | None], Path | None]) -> ServeSettings:
    """Return the settings; ``path`` makes a path relative to the configuration file absolute. Raises InputError."""
    if (raw.certificate is None) != (raw.certificate_key is None):
        raise InputError("config.certificate", "certificate and certificate_key go together: one of them is missing")
    if raw.public_url is not None and not raw.public_url.startswith("https://"):
        raise InputError("config.public_url", f"public_url must begin with https://: {raw.public_url!r}")
    return ServeSettings(
        listen=Address() if raw.listen is None else Address.parse(raw.listen),
        names=tuple(str(parse_name(name).value) for name in raw.names),
        public_url=raw.public_url.rstrip("/") if raw.public_url else None,
        certificate=path(raw.certificate),
        certificate_key=path(raw.certificate_key),
    )
