"""The tables of counterseal.toml as they are written, before anything is checked but the types."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec


class RawCA(msgspec.Struct):
    """``[ca]``."""

    crl_lifetime: str = "7d"
    crl_refresh: str = "1d"
    root_crl_lifetime: str | None = None


class RawProfile(msgspec.Struct):
    """``[profiles.NAME]``: a profile of one's own, made from ``server`` or ``client``."""

    extends: str
    lifetime: str | None = None
    max_lifetime: str | None = None
    permitted_domains: list[str] | None = None
    wildcards: bool | None = None
    min_rsa_bits: int | None = None


class RawNginx(msgspec.Struct):
    """``[nginx]``."""

    binary: str | None = None
    config: str | None = None
    include_file: str | None = None
    user: str | None = None
    unit: str = "nginx"
    worker_shutdown_timeout: str = "30s"


class RawAllow(msgspec.Struct):
    """``allow`` of a site or a location."""

    subjects: list[str] = []
    groups: list[str] = []
    serial_numbers: list[str] = []


class RawLocation(msgspec.Struct):
    """``[[sites.NAME.locations]]``."""

    path: str
    client_certificates: str | None = None
    allow: RawAllow | None = None
    upstream: str | None = None
    root: str | None = None


class RawKeyPair(msgspec.Struct):
    """A certificate and its key, both files."""

    certificate: str
    key: str


class RawUpstreamTLS(msgspec.Struct):
    """``upstream_tls`` of a site."""

    name: str | None = None
    trust: str | None = None
    crl: str | None = None
    depth: int | None = None
    client_certificate: str | RawKeyPair = "none"
    client_ca: str | None = None
    relay_400: bool = False


class RawOCSP(msgspec.Struct):
    """``ocsp`` of a site."""

    responder: str | None = None
    check: str = "leaf"


class RawSite(msgspec.Struct):
    """``[sites.NAME]``."""

    server_names: list[str]
    listen: list[str | int]
    kind: str = "http"
    client_certificates: str = "required"
    client_cas: list[str] | None = None
    upstream: str | None = None
    upstream_tls: RawUpstreamTLS | None = None
    root: str | None = None
    locations: list[RawLocation] = []
    allow: RawAllow | None = None
    revocation: str = "auto"
    admit: str = "valid"
    identity_headers: str = "off"
    tls: str = "intermediate"
    redirect_from: list[str | int] = []
    hsts: bool = False
    sessions: str = "off"
    ocsp: RawOCSP | None = None
    stapling: bool = False
    resolver: list[str] = []
    certificate: str | None = None
    certificate_key: str | None = None


class RawStreamSite(msgspec.Struct):
    """``[sites.NAME]`` with ``kind = "stream"``."""

    kind: str
    server_names: list[str]
    listen: list[str | int]
    upstream: str
    client_certificates: str = "required"
    client_cas: list[str] | None = None
    upstream_tls: RawUpstreamTLS | None = None
    allow: RawAllow | None = None
    revocation: str = "auto"
    admit: str = "valid"
    tls: str = "intermediate"
    ocsp: RawOCSP | None = None
    stapling: bool = False
    resolver: list[str] = []
    certificate: str | None = None
    certificate_key: str | None = None


class RawStore(msgspec.Struct):
    """``[store]``."""

    url: str
    password_file: str | None = None


class RawServe(msgspec.Struct):
    """``[serve]``."""

    listen: str | None = None
    names: list[str] = []
    public_url: str | None = None
    http_listen: str | None = None
    http_url: str | None = None
    metrics_listen: str | None = None
    certificate: str | None = None
    certificate_key: str | None = None
    trust_client_cert: bool = False
    trust_x_real_ip: bool = False
    trust_proxy_protocol: list[str] = []


class RawAcme(msgspec.Struct):
    """``[acme]``; what is not given keeps the default of ``AcmeRules``."""

    enabled: bool | None = None
    profiles: list[str] | None = None
    challenges: list[str] | None = None
    terms_of_service: str | None = None
    agree_to_new_terms: bool | None = None
    website: str | None = None
    external_account_required: bool | None = None
    pre_authorization: bool | None = None
    order_lifetime: str | None = None
    authorization_lifetime: str | None = None
    caa_identities: list[str] | None = None
    allow_networks: list[str] | None = None
    deny_networks: list[str] | None = None
    resolvers: list[str] | None = None
    http_port: int | None = None
    tls_port: int | None = None
    attempts: Annotated[int, msgspec.Meta(ge=1, le=3)] | None = None
    orders_per_hour: int | None = None
    failures_per_hour: int | None = None
    accounts_per_hour: int | None = None
    max_identifiers: int | None = None


class RawOCSPFace(msgspec.Struct):
    """``[ocsp]``."""

    enabled: bool = True
    lifetime: str = "12h"
    cached: str = "5m"
    nonces: str = "accepted"


class RawAccess(msgspec.Struct):
    """``[[api.access]]``: one of the first three says who."""

    role: str
    subject: str | None = None
    group: str | None = None
    serial_number: str | None = None
    profiles: list[str] | None = None


class RawApi(msgspec.Struct):
    """``[api]``."""

    enabled: bool = True
    access: list[RawAccess] = []
    requests_per_minute: int = 600


class RawWebhook(msgspec.Struct):
    """``[reminders.webhook]``."""

    url: str
    secret_file: str


class RawMail(msgspec.Struct):
    """``[reminders.mail]``."""

    to: list[str]
    sender: str | None = msgspec.field(name="from", default=None)
    host: str = "localhost"
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] | None = None
    security: str | None = None
    username: str | None = None
    password_file: str | None = None


class RawReminders(msgspec.Struct):
    """``[reminders]``."""

    before: list[str] = msgspec.field(default_factory=lambda: ["30d", "7d", "1d"])
    webhook: RawWebhook | None = None
    mail: RawMail | None = None


class RawEST(msgspec.Struct):
    """``[est]``."""

    enabled: bool = True
    server_keys: bool = True
    renew_after_expiry: str | None = None
    requests_per_minute: int = 600


SECTIONS = ("ca", "profiles", "nginx", "store", "serve", "acme", "api", "reminders", "est", "ocsp", "sites")
STAND_INS: dict[str, Any] = {
    "extends": "client",
    "path": "/admin/",
    "certificate": "panel.pem",
    "key": "panel.key",
    "kind": "stream",
    "server_names": ["panel.example.com"],
    "listen": ["443"],
    "upstream": "127.0.0.1:5432",
    "store.url": "postgresql://counterseal@db.corp.example/counterseal",
    "url": "https://hooks.example.com/ca",
    "role": "viewer",
    "secret_file": "webhook.secret",
    "to": ["admin@example.com"],
}
"""What a key that is needed could be, where it is missing or of another type: an example, for as long as one reads."""
NESTED: dict[str, type[msgspec.Struct]] = {
    "allow": RawAllow,
    "locations": RawLocation,
    "upstream_tls": RawUpstreamTLS,
    "client_certificate": RawKeyPair,
    "ocsp": RawOCSP,
    "access": RawAccess,
    "webhook": RawWebhook,
    "mail": RawMail,
}
