"""Under which URL this service is reached: what links, and the signed ``url`` of ACME, are made from.

A Host header is believed only where it says one of the service's own names; so a stranger's name never enters a link.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """The public URL if one is set; else https with the name by which the client called, and the port."""

    names: tuple[str, ...]
    port: int
    public_url: str | None = None

    @property
    def usual(self) -> str:
        """The URL to tell people."""
        return self.public_url or self._url(self.names[0], self.port)

    def of(self, host_header: str | None) -> str:
        """Return the URL without a slash at its end for a request with this Host header."""
        if self.public_url or not host_header:
            return self.usual
        host, port = _split(host_header)
        return self._url(host, port) if host in self.names else self.usual

    @staticmethod
    def _url(host: str, port: int) -> str:
        shown = f"[{host}]" if ":" in host else host
        return f"https://{shown}" if port == 443 else f"https://{shown}:{port}"  # noqa: PLR2004 - RFC 9110 4.2.2


def _split(host_header: str) -> tuple[str, int]:
    host, colon, port = host_header.lower().rpartition(":")
    if colon and port.isascii() and port.isdigit() and not port.endswith("]"):
        return host.strip("[]").rstrip("."), int(port)
    return host_header.lower().strip("[]").rstrip("."), 443
