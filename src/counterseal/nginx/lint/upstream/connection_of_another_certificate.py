"""nginx comes as somebody else, because a connection is kept."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import append_word, insert_before, remove, replace_word
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.upstream.trusted import tls_upstreams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.lint.upstream.trusted import Upstream
    from counterseal.nginx.tree import Directive


KEPT_BY_DEFAULT = (1, 29, 7)
"""Since then connections are kept, for each location by itself, where ``keepalive`` says nothing or ``local``."""


def check(configuration: Configuration) -> Iterator[Found]:
    """Find groups whose connections are kept, and are made under different terms."""
    users: dict[str, list[Upstream]] = defaultdict(list)
    is_new = configuration.version.number >= KEPT_BY_DEFAULT
    for one in tls_upstreams(configuration):
        if one.kind == "http" and one.target in configuration.upstreams and (is_new or _can_keep(one)):
            users[one.target].append(one)
    for name, ones in users.items():
        group = configuration.upstreams[name]
        kept = next((each for each in group.directives if each.name == "keepalive" and each.arguments), None)
        if kept is not None and (kept.arguments[0] == "0" or not any(each.isdecimal() for each in kept.arguments)):
            continue
        if any("$" in one.certificate for one in ones) and (kept is not None or is_new):
            message = f"a request may come over the connection of another certificate to {name}"
            yield Found(at(kept or group), message, _closed(group, kept, is_new=is_new), decision=_DECISION)
        elif kept is not None and "local" not in kept.arguments and len({one.terms for one in ones}) > 1:
            message = f"connections to {name} that were made with one certificate are used with another"
            edits = (append_word(kept, "local"),) if is_new else (remove(kept),)
            yield Found(at(kept), message, edits, decision="" if is_new else _DECISION)


def _can_keep(one: Upstream) -> bool:
    """Whether an older nginx keeps its connections: with HTTP/1.0, its default, it does not."""
    return one.prefix != "proxy_ssl" or one.level.value("proxy_http_version") == "1.1"


def _closed(group: Directive, kept: Directive | None, *, is_new: bool) -> tuple[Edit, ...]:
    if kept is not None:
        return (replace_word(kept, 0, "0") if is_new else remove(kept),)
    return tuple(insert_before(one, "keepalive 0;") for one in group.directives[:1])


_DECISION = "whether the upstream bears a connection a request; else a group of its own for each certificate"


RULE = Rule(
    code="up-connection-of-another-certificate",
    severity=Severity.CRITICAL,
    summary="Connections to an upstream are kept, and it is reached with different client certificates or CAs.",
    evidence="A kept connection is known by its address alone: /bob and a location without a certificate came as "
    "CN=alice, and a location that verifies the upstream used the connection of one that does not, to an impostor, "
    "on 1.22.1 and 1.31.3. With a variable in proxy_ssl_certificate 1.31.3 did so without keepalive, too.",
    remedy="give each certificate an upstream group of its own; since 1.29.7 keepalive N local parts the locations",
    reference="https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive",
    check=check,
    fixes=(Applicability.MACHINE_APPLICABLE, Applicability.MAYBE_INCORRECT),
)
