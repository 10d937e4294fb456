"""What ``[acme]`` of counterseal.toml may say, checked and frozen; the defaults are safe on a private network."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterseal.service.settings import Network

CHALLENGES = ("http-01", "dns-01", "tls-alpn-01")


@dataclass(frozen=True, slots=True)
class AcmeRules:
    """The rules of the ACME server.

    ``profiles`` are those that a client may ask for, the first is for those that do not ask. ``allow_networks`` opens
    what is closed by default (this machine, link-local and multicast addresses) and ``deny_networks`` closes what is
    open. ``caa_identities`` switches the checking of CAA records on. ``pre_authorization`` offers
    newAuthz. ``attempts`` is how often a challenge is tried, with pauses of 1 and 3 s, before it has failed.
    ``agree_to_new_terms``: an account that agreed to other terms agrees again before it orders.
    """

    enabled: bool = True
    profiles: tuple[str, ...] = ("server",)
    challenges: tuple[str, ...] = CHALLENGES
    terms_of_service: str | None = None
    agree_to_new_terms: bool = False
    website: str | None = None
    external_account_required: bool = False
    pre_authorization: bool = False
    order_lifetime: timedelta = timedelta(days=7)
    authorization_lifetime: timedelta = timedelta(days=30)
    caa_identities: tuple[str, ...] = ()
    allow_networks: tuple[Network, ...] = field(default_factory=tuple)
    deny_networks: tuple[Network, ...] = field(default_factory=tuple)
    resolvers: tuple[str, ...] = ()
    http_port: int = 80
    tls_port: int = 443
    attempts: int = 3
    orders_per_hour: int = 1_000
    failures_per_hour: int = 60
    accounts_per_hour: int = 1_000
    max_identifiers: int = 100
