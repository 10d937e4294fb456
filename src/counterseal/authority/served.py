"""A site as it is to be served: what the user wants, and which of its certificates are his own files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.nginx.any_site import AnySite


@dataclass(frozen=True, slots=True)
class BackendFiles:
    """Whom nginx trusts as its TLS backend, and what it shows it.

    ``trust`` (PEM) None stands for our own server CAs, with their lists in place of ``crl``. ``verify_depth`` None for
    what our CAs need, or for what is enough with any other. ``certificate`` and ``certificate_key`` are the user's own;
    where we issue one, it comes from the client CA ``client_ca``, None for the first.
    """

    trust: Path | None = None
    crl: Path | None = None
    verify_depth: int | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    client_ca: str | None = None


@dataclass(frozen=True, slots=True)
class ServedSite:
    """A site with the user's own certificate and key, or with both None and one that we issue and renew."""

    site: AnySite
    certificate: Path | None = None
    certificate_key: Path | None = None
    backend: BackendFiles = field(default_factory=BackendFiles)

    @property
    def proves_backend(self) -> bool:
        """Whether we can play every kind of backend: the site has a TLS one, and nginx trusts our CAs there."""
        return bool(self.site.backend_names) and self.backend.trust is None
