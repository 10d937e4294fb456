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
        switch = f"{one.prefix}_session_reuse"
        if "$" in one.target or one.level.value(switch) == "off":
            continue
        known = first.setdefault((one.kind, one.target), one)
        if "$" in one.certificate:
            message = f"{switch} resumes the TLS session of another request's certificate with {one.target}"
            yield Found(at(one.directive), message, (_fresh(one, switch),))
        elif one.certificate != known.certificate or (one.trust and known.trust and one.trust != known.trust):
            message = f"{switch} resumes a TLS session with {one.target} of other terms, from {at(known.directive)}"
            yield Found(at(one.directive), message, (_fresh(one, switch),))


def _fresh(one: Upstream, switch: str) -> Edit:
    own = one.level.here(switch)
    return replace_word(own[-1], 0, "off") if own else insert_before(one.directive, f"{switch} off;")


RULE = Rule(
    code="up-session-of-another-certificate",
    severity=Severity.CRITICAL,
    summary="One upstream is reached with different client certificates or CAs, and TLS sessions with it are resumed.",
    evidence="nginx keeps one session for each address of an upstream, for every location: after /alice, /bob came as "
    "CN=alice, and so did a location without a certificate, on 1.22.1 and 1.31.3, in stream too; an impostor that the "
    "CAs of one location accepted was accepted by the other one, which trusts another CA (1.31.3).",
    remedy="turn off what the finding names, such as proxy_ssl_session_reuse or grpc_ssl_session_reuse, or give each "
    "certificate an upstream group of its own",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_session_reuse",
    check=check,
)
