"""A name in a format that nginx no longer uses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.findings import Severity
from counterseal.nginx.lint.comparisons import comparisons, renamed, rewritten
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, Span, at
from counterseal.pki.subject import nginx_name, parse_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.comparisons import Comparison
    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.model import Configuration

_SLASHED = re.compile(r"\^?(?:[A-Z]+:)?\\?/(?:C|ST|L|O|OU|CN|DC|UID|serialNumber|emailAddress)=")
_NAMES = frozenset({"ssl_client_s_dn", "ssl_client_i_dn"})


def check(configuration: Configuration) -> Iterator[Found]:
    """Find such a name among what the subject or the issuer is compared with."""
    for one in comparisons(configuration):
        if one.variables & _NAMES and _SLASHED.match(one.value):
            edits = () if one.is_regex else _as_nginx_writes(one)
            message = f"never matches: {one.value}"
            if edits:
                yield Found(at(one.directive), message, edits)
            else:
                name = next(iter(one.variables & _NAMES))
                yield Found(at(one.directive), message, renamed(one, name, f"{name}_legacy"), decision=_DECISION)


def _as_nginx_writes(one: Comparison) -> tuple[Edit, ...]:
    try:
        return rewritten(one, nginx_name(parse_subject(one.value)))
    except InputError:
        return ()


_DECISION = "whether every value that is compared there has the old format"


RULE = Rule(
    code="id-dn-legacy-format",
    severity=Severity.MEDIUM,
    summary="A distinguished name is compared in the format with slashes.",
    evidence="Since 1.11.6 $ssl_client_s_dn is CN=alice,OU=eng,O=Lab (RFC 2253): /O=Lab/OU=eng/CN=alice never "
    "matches. As a list of whom to admit it locked everybody out, as a list of whom to refuse it refused "
    "nobody.",
    remedy="write it as nginx does, the most specific part first: CN=alice,OU=eng,O=Lab",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#var_ssl_client_s_dn",
    check=check,
    affected=(Span(since=(1, 11, 6)),),
    fixes=(Applicability.MACHINE_APPLICABLE, Applicability.MAYBE_INCORRECT),
)
