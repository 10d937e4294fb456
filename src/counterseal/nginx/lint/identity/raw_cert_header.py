"""A certificate with line breaks in a header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import replace_word
from counterseal.nginx.lint.passing import HEADERS
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.variables import variables_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.tree import Directive

_RAW = frozenset({"ssl_client_raw_cert", "ssl_client_cert"})


def check(configuration: Configuration) -> Iterator[Found]:
    """Find these variables in headers to an application, wherever they are set."""
    for level in configuration.main.walk():
        for name in HEADERS.values():
            for header in level.here(name):
                raw = sorted(_RAW & variables_in(" ".join(header.arguments[1:])))
                if raw:
                    edit = _escaped(header, raw[0])
                    yield Found(at(header), f"line feeds in a header: ${raw[0]}", (edit,) if edit else ())


def _escaped(header: Directive, name: str) -> Edit | None:
    is_alone = header.arguments[1:] in {(f"${name}",), (f"${{{name}}}",)}
    return replace_word(header, 1, "$ssl_client_escaped_cert") if is_alone else None


RULE = Rule(
    code="id-raw-cert-header",
    severity=Severity.HIGH,
    summary="$ssl_client_raw_cert or $ssl_client_cert is put into a header.",
    evidence="The line feeds of the PEM end the header: only the first line and none of the headers behind it "
    "arrived. $ssl_client_cert folds lines with tabs, which RFC 9112 forbids and many servers refuse.",
    remedy="use $ssl_client_escaped_cert, or the Client-Cert header of RFC 9440",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#var_ssl_client_escaped_cert",
    check=check,
)
