"""Whether a certificate is wanted is decided by the path as it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.comparisons import comparisons_for, renamed
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import deciding
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.comparisons import Comparison
    from counterseal.nginx.lint.model import Configuration

_RAW = "request_uri"


def check(configuration: Configuration) -> Iterator[Found]:
    """Find regular expressions on ``$request_uri`` that have a part in a decision about the certificate."""
    for server in configuration.guarded:
        guards = deciding(configuration, server)
        if any(_RAW in configuration.variables.behind(*guard.arguments) for guard in guards):
            for one in comparisons_for(configuration, server):
                if _looks_at_path(one):
                    message = f"matches the path as it was sent, with ../ and // in it: {one.value}"
                    yield Found(at(one.directive), message, renamed(one, _RAW, "uri"), decision=_DECISION)


def _looks_at_path(one: Comparison) -> bool:
    """Whether a regular expression is about the path: of a subject that has more in it, a slash tells.

    With ``$uri`` beside it the two are compared with each other, which is how to find what goes another way round.
    """
    is_path = one.subject.strip("${}") == _RAW or "/" in one.value
    return one.is_regex and _RAW in one.variables and "uri" not in one.variables and is_path


_DECISION = "whether the expression fits $uri, which is decoded and has no query"


RULE = Rule(
    code="mtls-check-by-request-uri",
    severity=Severity.HIGH,
    summary="$request_uri decides for which paths a certificate is wanted.",
    evidence="It is the path as the client sent it, while locations see it without ../ and //: where ^/public/ needed "
    "no certificate, GET /public/../admin reached /admin without one.",
    remedy="compare $uri, or give each part of the site a location of its own",
    reference="https://nginx.org/en/docs/http/ngx_http_core_module.html#var_request_uri",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
