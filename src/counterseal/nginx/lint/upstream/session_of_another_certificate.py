"""nginx comes as somebody else, because a TLS session is resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import insert_before, replace_word
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.upstream.trusted import tls_upstreams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.lint.upstream.trusted import Upstream


def check(configuration: Configuration) -> Iterator[Found]:
    """Find upstreams that are reached under different terms, or as each request says, with sessions kept."""
    first: dict[tuple[str, str], Upstream] = {}
    for one in tls_upstreams(configuration):
        if "$" in one.target or one.level.value(f"{one.prefix}_session_reuse") == "off":
            continue
        known = first.setdefault((one.kind, one.target), one)
        if "$" in one.certificate:
            message = f"a request may resume the TLS session of another certificate with {one.target}"
            yield Found(at(one.directive), message, (_fresh(one),))
        elif one.certificate != known.certificate or (one.trust and known.trust and one.trust != known.trust):
            message = f"may resume a TLS session with {one.target} of other terms, from {at(known.directive)}"
            yield Found(at(one.directive), message, (_fresh(one),))


def _fresh(one: Upstream) -> Edit:
    switch = f"{one.prefix}_session_reuse"
    own = one.level.here(switch)
    return replace_word(own[-1], 0, "off") if own else insert_before(one.directive, f"{switch} off;")


RULE = Rule(
    code="up-session-of-another-certificate",
    severity=Severity.CRITICAL,
    summary="One upstream is reached with different client certificates or CAs, and TLS sessions with it are resumed.",
    evidence="nginx keeps one session for each address of an upstream, for every location: after /alice, /bob came as "
    "CN=alice, and so did a location without a certificate, on 1.22.1 and 1.31.3, in stream too; an impostor that the "
    "CAs of one location accepted was accepted by the other one, which trusts another CA (1.31.3).",
    remedy="write: proxy_ssl_session_reuse off; or give each certificate an upstream group of its own",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_session_reuse",
    check=check,
)
