"""Which file is opened is decided in the handshake."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import replace_word
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, Span, at
from counterseal.nginx.lint.variables import variables_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive

_CHOSEN = re.compile(r"\$(?:ssl_server_name|server_name|\{(?:ssl_)?server_name\})")


def check(configuration: Configuration) -> Iterator[Found]:
    """Find such paths, unless a map chooses among fixed ones and a cache keeps them."""
    for server in configuration.servers:
        for name in ("ssl_certificate", "ssl_certificate_key"):
            for directive in server.level.all(name):
                text = directive.arguments[0] if directive.arguments else ""
                if "$" in text and not text.startswith("data:") and not _is_chosen(configuration, server, text):
                    edits = (replace_word(directive, 0, _named(server, directive)),)
                    message = f"is opened by the workers in each handshake: {text}"
                    yield Found(at(directive, 0), message, edits, decision=_DECISION)


def _is_chosen(configuration: Configuration, server: Server, text: str) -> bool:
    made = {one.arguments[1].strip("${}") for one in configuration.maps if len(one.arguments) > 1}
    return variables_in(text) <= made and server.level.value("ssl_certificate_cache") not in {"", "off"}


def _named(server: Server, directive: Directive) -> str:
    """Return the path for the first name of the server, where the client's choice among names stands in it."""
    path = _CHOSEN.sub(lambda _: server.names[0], directive.words[1].raw)
    is_plain = not any(character in path for character in "$*~")
    return path if is_plain else "<server.key>" if directive.name.endswith("_key") else "<fullchain.pem>"


_DECISION = "whether one certificate serves every name of this server"


RULE = Rule(
    code="tls-cert-variable-path",
    severity=Severity.MEDIUM,
    summary="A variable stands in the path of a certificate or key.",
    evidence="Workers open the files, in each handshake: a missing one, or a key that only root can read, was an "
    "internal_error to the client, and nginx -t passed. With $ssl_server_name the client names the file; what a "
    "pattern of server_name captured is empty in the handshake, so that nobody was served.",
    remedy="name the files; or choose them by a map of known names, with ssl_certificate_cache (1.27.4)",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_certificate",
    check=check,
    affected=(Span(since=(1, 15, 9)),),
    fixes=(Applicability.MAYBE_INCORRECT, Applicability.HAS_PLACEHOLDERS),
)
