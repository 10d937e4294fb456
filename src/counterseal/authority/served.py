"""A site as it is to be served: what the user wants, and where its server certificate comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.nginx.site import Site


@dataclass(frozen=True, slots=True)
class ServedSite:
    """A site with the user's own certificate and key, or with both None and one that we issue and renew."""

    site: Site
    certificate: Path | None = None
    certificate_key: Path | None = None
