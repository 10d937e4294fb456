"""From the raw tables ``[serve]`` and those of the faces to their settings."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import msgspec

from counterseal.config.faults import Faults
from counterseal.duration import parse_duration
from counterseal.errors import InputError
from counterseal.pki.names import parse_name
from counterseal.pki.profile import RESPONDER
from counterseal.pki.uris import uri_host
from counterseal.protocols.acme.rules import CHALLENGES, AcmeRules
from counterseal.protocols.est.rules import ESTRules
from counterseal.protocols.ocsp_rules import NONCES, OCSPRules
from counterseal.service.settings import LAST_PORT, Address, ServeSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from counterseal.config.raw import RawAcme, RawEST, RawOCSPFace, RawServe
    from counterseal.pki.profile import Profile

HTTP_PORT = 80
SHORTEST_ANSWER = timedelta(minutes=1)


def serve_settings_of(raw: RawServe, path: Callable[[str | None], Path | None]) -> ServeSettings:
    """Return the settings; ``path`` makes a path relative to the configuration file absolute.

    Raises ConfigError with every fault, as those below do.
    """
    faults = Faults()
    if (raw.certificate is None) != (raw.certificate_key is None):
        told = "certificate and certificate_key go together: one of them is missing"
        faults.note(InputError("config.certificate", told), "certificate")
    if raw.public_url is not None and not raw.public_url.startswith("https://"):
        told = f"public_url must begin with https://: {raw.public_url!r}"
        faults.note(InputError("config.public_url", told, hint="write https://ca.example.com"), "public_url")
    http_listen = _address("http_listen", raw.http_listen, faults)
    read = (faults.attempt(lambda name=name: str(parse_name(name).value), "", "names") for name in raw.names)  # type: ignore[misc] # bound now
    names = tuple(read)
    settings = ServeSettings(
        listen=_address("listen", raw.listen, faults) or Address(),
        names=names,
        public_url=raw.public_url.rstrip("/") if raw.public_url else None,
        http_listen=http_listen,
        http_url=faults.attempt(lambda: _http_url(raw.http_url, http_listen, names), None, "http_url"),
        metrics_listen=_address("metrics_listen", raw.metrics_listen, faults),
        certificate=path(raw.certificate),
        certificate_key=path(raw.certificate_key),
        trust_client_cert=raw.trust_client_cert,
        trust_x_real_ip=raw.trust_x_real_ip,
        trust_proxy_protocol=faults.attempt(
            lambda: _networks("trust_proxy_protocol", raw.trust_proxy_protocol), (), "trust_proxy_protocol"
        ),
    )
    faults.refuse()
    return settings


def _address(key: str, text: str | None, faults: Faults) -> Address | None:
    return None if text is None else faults.attempt(lambda: Address.parse(text), None, key)


def _http_url(given: str | None, listen: Address | None, names: tuple[str, ...]) -> str | None:
    """Return what is given, or the first name with the port of the address without TLS."""
    if given is not None:
        if not given.startswith("http://") or "?" in given or "#" in given:
            raise InputError("config.http_url", f"not a plain http URL: {given!r}", hint="write http://pki.example.com")
        uri_host(given)
        return given.rstrip("/")
    if listen is None or listen.unix or not listen.port or not names:
        return None
    host = f"[{names[0]}]" if ":" in names[0] else names[0]
    return f"http://{host}" if listen.port == HTTP_PORT else f"http://{host}:{listen.port}"


def acme_rules_of(raw: RawAcme, profiles: Mapping[str, Profile]) -> AcmeRules:
    """Return the rules; ``profiles`` are those that there are."""
    faults = Faults()
    given: dict[str, Any] = {name: value for name, value in msgspec.structs.asdict(raw).items() if value is not None}
    for name, read in _READ.items():
        if name in given:
            given[name] = faults.attempt(lambda name=name, read=read: read(name, given[name]), None, name)  # type: ignore[misc] # bound now
    frozen: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in given.items()}
    rules = AcmeRules(**frozen)
    _check_choices("challenges", rules.challenges, CHALLENGES, faults)
    _check_choices("profiles", rules.profiles, tuple(name for name, one in profiles.items() if not one.probe), faults)
    faults.refuse()
    return rules


def ocsp_rules_of(raw: RawOCSPFace) -> OCSPRules:
    """Return the rules."""
    faults = Faults()
    lifetime = faults.attempt(lambda: _answer_lifetime(raw.lifetime), SHORTEST_ANSWER, "lifetime")
    cached = faults.attempt(lambda: parse_duration(raw.cached), SHORTEST_ANSWER, "cached")
    _check_choices("nonces", (raw.nonces,), NONCES, faults)
    faults.refuse()
    return OCSPRules(raw.enabled, lifetime, cached, raw.nonces)


def _answer_lifetime(text: str) -> timedelta:
    lifetime = parse_duration(text)
    if not SHORTEST_ANSWER <= lifetime <= RESPONDER.lifetime / 4:
        raise InputError(
            "config.ocsp_lifetime",
            f"an OCSP answer cannot live for {text}",
            hint="at least 1m, and at most 84h, because its signer lives for 14 days",
        )
    return lifetime


def est_rules_of(raw: RawEST) -> ESTRules:
    """Return the rules."""
    faults = Faults()
    text = "0s" if raw.renew_after_expiry is None else raw.renew_after_expiry
    grace = faults.attempt(lambda: parse_duration(text), timedelta(0), "renew_after_expiry")
    allowed = faults.attempt(lambda: per_minute(raw.requests_per_minute), 0, "requests_per_minute")
    faults.refuse()
    return ESTRules(raw.enabled, raw.server_keys, grace, allowed)


def per_minute(count: int) -> int:
    """Return how many requests a minute one caller may make; raises InputError ``config.count``."""
    if count < 0:
        raise InputError("config.count", f"requests_per_minute is negative: {count}", hint="0 means no limit")
    return count


def _check_choices(key: str, chosen: tuple[str, ...], known: tuple[str, ...], faults: Faults) -> None:
    for one in chosen:
        if one not in known:
            faults.note_choice(key, one, known)
    if not chosen:
        told = f"{key} must name at least one"
        faults.note(InputError("config.choice", told, hint=f"choose of {', '.join(known)}"), key)


def _networks(key: str, texts: list[str]) -> tuple[Any, ...]:
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as error:
        raise InputError("config.network", f"not a network in {key}: {error}", hint="write 10.0.0.0/8") from None


def _port(key: str, port: int) -> int:
    if not 1 <= port <= LAST_PORT:
        raise InputError("config.port", f"not a port for {key}: {port}")
    return port


def _count(key: str, number: int) -> int:
    if number < 0:
        raise InputError("config.count", f"{key} is negative: {number}", hint="0 means no limit")
    return number


_READ: dict[str, Callable[[str, Any], Any]] = {
    "order_lifetime": lambda _, text: parse_duration(text),
    "authorization_lifetime": lambda _, text: parse_duration(text),
    "allow_networks": _networks,
    "deny_networks": _networks,
    "http_port": _port,
    "tls_port": _port,
    "orders_per_hour": _count,
    "failures_per_hour": _count,
    "accounts_per_hour": _count,
    "max_identifiers": _count,
    "caa_identities": lambda _, names: tuple(name.lower() for name in names),
}
