"""A certificate with line breaks in a header."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import replace_word
from counterseal.nginx.lint.passing import HEADERS
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.variables import bare_name, variables_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.tree import Directive

_RAW = frozenset({"ssl_client_raw_cert", "ssl_client_cert"})
_VARIABLE = re.compile(r"\$(?:ssl_client_(?:raw_)?cert\b|\{ssl_client_(?:raw_)?cert\})", re.IGNORECASE)


def check(configuration: Configuration) -> Iterator[Found]:
    """Find these variables in headers to an application, wherever they are set."""
    carriers = _carriers(configuration)
    for level in configuration.main.walk():
        for name in HEADERS.values():
            for header in level.here(name):
                named = variables_in(" ".join(header.arguments[1:]))
                raw = sorted(named & (_RAW | carriers.keys()))
                if raw:
                    sources = (header, *(one for name in raw for one in carriers.get(name, ())))
                    edits = tuple(edit for source in sources for edit in _escaped(source))
                    yield Found(at(header), f"line feeds in a header: ${raw[0]}", edits)


def _carriers(configuration: Configuration) -> dict[str, list[Directive]]:
    """Return what gives a variable one of these as its value, by the name of the variable: ``set``, or a ``map``."""
    sets = ((one.arguments[:1], one) for level in configuration.main.walk() for one in level.here("set"))
    entries = ((one.arguments[1:], entry) for one in configuration.maps for entry in one.directives)
    found: dict[str, list[Directive]] = defaultdict(list)
    for names, source in (*sets, *entries):
        if names and _RAW & variables_in(" ".join(source.arguments[-1:])):
            found[bare_name(names[0])].append(source)
    return found


def _escaped(header: Directive) -> tuple[Edit, ...]:
    edits = (
        replace_word(header, place, _VARIABLE.sub("$ssl_client_escaped_cert", word.raw))
        for place, word in enumerate(header.words[1:])
    )
    return tuple(edit for edit in edits if edit.new != edit.old)


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
