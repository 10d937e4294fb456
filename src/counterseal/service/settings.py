"""What ``[serve]`` of counterseal.toml may say, checked and frozen."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, NamedTuple

from counterseal.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

Network = IPv4Network | IPv6Network
DEFAULT_PORT = 8443
LAST_PORT = 65_535


class Address(NamedTuple):
    """Where to listen: a host and a port (0 takes a free one), or a Unix socket, which speaks plain HTTP."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    unix: str | None = None

    @classmethod
    def parse(cls, text: str) -> Address:
        """Return the address that ``text`` says: ``127.0.0.1:8443``, ``[::]:8443``, ``:8443``, ``unix:/run/x.sock``."""
        if text.startswith("unix:/"):
            return cls("", 0, text.removeprefix("unix:"))
        host, colon, port = text.rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or int(port) > LAST_PORT:
            raise InputError(
                "serve.address",
                f"not an address to listen on: {text!r}",
                hint="write 127.0.0.1:8443, [::]:8443, or unix:/run/counterseal.sock behind an nginx",
            )
        return cls(host.strip("[]") or "0.0.0.0", int(port))  # noqa: S104 - an empty host is the user's word for it

    def __str__(self) -> str:
        if self.unix:
            return f"unix:{self.unix}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class ServeSettings(NamedTuple):
    """How the service listens and what it is called.

    ``names`` are what its own certificate is for; ``public_url`` is how clients reach it where that differs, as behind
    a proxy; ``http_listen`` is one more address, without TLS, for what is public, and ``http_url`` how relying parties
    reach that: what is issued from then on names it. ``metrics_listen`` is one for Prometheus alone, without TLS.
    ``certificate`` and ``certificate_key`` are the user's own files instead of one that we issue and renew.
    ``trust_client_cert`` believes the proxy on a Unix socket what it says in ``Client-Cert`` (RFC 9440), and
    ``trust_x_real_ip`` in ``X-Real-IP``. ``trust_proxy_protocol`` are the networks of proxies that pass TLS through and
    must say in the PROXY protocol which client it is.
    """

    listen: Address = Address()
    names: tuple[str, ...] = ()
    public_url: str | None = None
    http_listen: Address | None = None
    http_url: str | None = None
    metrics_listen: Address | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    trust_client_cert: bool = False
    trust_x_real_ip: bool = False
    trust_proxy_protocol: tuple[Network, ...] = ()

    @property
    def url(self) -> str | None:
        """How clients reach it, as far as the configuration says so."""
        if self.public_url or not self.names or self.listen.unix:
            return self.public_url
        from counterseal.service.origin import Origin  # noqa: PLC0415 - few commands ask

        return Origin(self.names, self.listen.port).usual
