"""nginx believes what the client says of its own certificate."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import insert_before, replace_word
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.tree import Directive

_HEADER = re.compile(
    r"http_(?:x_)?(?:ssl_|tls_)?client_(?:cert_?)?(?:verif|s_dn|i_dn|dn|cn|serial|fingerprint|subject)",
)
_ANYBODY = (("0.0.0.0/0",), ("::/0",))


def check(configuration: Configuration) -> Iterator[Found]:
    """Find conditions that draw on such a header, in servers that anybody can reach without a certificate."""
    for server in configuration.servers:
        if server.kind != "http" or server.verify == "on" or all(listen.is_unix for listen in server.listens):
            continue
        for level, condition in server.conditions:
            block = condition.block
            asked = configuration.variables.behind(*block.arguments) if block else frozenset()
            header = next((name for name in sorted(asked) if _HEADER.match(name)), None)
            if block is not None and header is not None:
                yield from _found(level, block, header)


def _found(level: Level, block: Directive, header: str) -> Iterator[Found]:
    """Find that the proxy alone may not send the header; or that anybody may say to be the proxy."""
    told = _told_address(level)
    if not _is_restricted(level):
        edits = (insert_before(block, "allow <address>;"), insert_before(block, "deny all;"))
        yield Found(at(block), f"any client can send this header: ${header}", edits, decision=_DECISION)
    elif told is not None:
        message = f"any client can send ${header}, and by this line its own address"
        yield Found(at(told), message, (replace_word(told, 0, "<address>"),), decision=_DECISION)


def _is_restricted(level: Level) -> bool:
    return any(one.arguments == ("all",) for one in level.all("deny"))


def _told_address(level: Level) -> Directive | None:
    """Return what takes the address of the client from a header that anybody can send."""
    anybody = next((one for one in level.all("set_real_ip_from") if one.arguments[:1] in _ANYBODY), None)
    return anybody if level.value("real_ip_header") != "proxy_protocol" else None


_DECISION = "from which address the proxy comes that sets the header; without one compare $ssl_client_verify"


RULE = Rule(
    code="id-trusts-request-header",
    severity=Severity.CRITICAL,
    summary="nginx itself decides by a request header such as X-SSL-Client-Verify.",
    evidence="Any client can send that header: 200. Where set_real_ip_from 0.0.0.0/0 stood before allow and deny, any "
    "client could send the address of the proxy as well, in X-Forwarded-For.",
    remedy="compare $ssl_client_verify; behind another proxy, let only that one connect (allow, or mutual TLS "
    "between the two)",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#variables",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
