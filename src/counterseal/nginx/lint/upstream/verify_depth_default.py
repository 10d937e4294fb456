"""A path that is longer than nginx will follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import insert_before, replace_word
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.upstream.trusted import trusted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find verified upstreams whose own trusted CAs need more depth than they are given."""
    for passing, store in trusted(configuration):
        switch = f"{passing.prefix}_verify_depth"
        text = passing.level.value(switch)
        needed = max((len(store.path(ca)) for ca in store.cas), default=1) - 1
        if text.isdecimal() and needed > int(text):
            own = passing.level.effective(switch)
            edit = replace_word(own, 0, str(needed)) if own else insert_before(store.directive, f"{switch} {needed};")
            yield Found(at(own or store.directive), f"the CAs need {switch} {needed}, not {text}", (edit,))


RULE = Rule(
    code="up-verify-depth-default",
    severity=Severity.MEDIUM,
    summary="The depth for verifying an upstream is smaller than the number of intermediates.",
    evidence="502, upstream SSL certificate verify error: (2:unable to get issuer certificate), with two "
    "intermediates and the default depth of 1.",
    remedy="set proxy_ssl_verify_depth to the number of intermediates",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_verify_depth",
    check=check,
)
