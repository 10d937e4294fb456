"""The name is looked for in what the client says inside TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import Edit
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, Span, at
from counterseal.nginx.lint.variables import variables_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration, Server


_NAME = "ssl_preread_server_name"


def check(configuration: Configuration) -> Iterator[Found]:
    """Find stream servers that end TLS themselves and choose the target by the name of ``ssl_preread``."""
    for server in configuration.servers:
        for passing in server.level.here("proxy_pass") if server.kind == "stream" else ():
            if configuration.speaks_tls(server) and _NAME in configuration.variables.behind(*passing.arguments):
                edits = tuple(_renamed(configuration, server))
                message = f"${_NAME} is always empty here: TLS has ended before it is looked for"
                yield Found(at(passing), message, edits, decision=_DECISION)


def _renamed(configuration: Configuration, server: Server) -> Iterator[Edit]:
    """Write ``$ssl_server_name`` in ``proxy_pass`` itself, or in the map that makes its target."""
    passing = server.level.here("proxy_pass")
    used = variables_in(" ".join(passing[0].arguments))
    maps = (one for one in configuration.maps if variables_in(" ".join(one.arguments[1:2])) <= used)
    for one in (*passing, *maps):
        for word in one.words[1:]:
            if _NAME in variables_in(word.text):
                yield Edit(one.file, word.line, word.column, word.raw, word.raw.replace(_NAME, "ssl_server_name"))


_DECISION = "whether the map serves another server, too, which passes TLS on as it is"


RULE = Rule(
    code="stream-preread-after-tls",
    severity=Severity.HIGH,
    summary="A stream server that ends TLS chooses the target by $ssl_preread_server_name.",
    evidence="nginx ends TLS before it reads ahead, so that the name is always empty: a client that asked for "
    "panel.test reached the target of default, on 1.22.1 and 1.31.3.",
    remedy="use $ssl_server_name where the listen has ssl",
    reference="https://nginx.org/en/docs/stream/ngx_stream_ssl_preread_module.html",
    check=check,
    affected=(Span(since=(1, 11, 8)),),
    fixes=(Applicability.MAYBE_INCORRECT,),
)
