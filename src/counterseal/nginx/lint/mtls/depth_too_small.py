"""A path that is longer than nginx will follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import insert_before, replace_word
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.store import stores
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find servers whose own client CAs need more depth than they allow."""
    for server, store in stores(configuration):
        text = server.level.value("ssl_verify_depth")
        deepest = max((store.path(ca) for ca in store.cas), key=len, default=())
        needed = len(deepest) - 1
        if not text.isdecimal() or needed <= int(text):
            continue
        switch = server.level.effective("ssl_verify_depth")
        message = f"clients of {show_subject(deepest[0].subject)} need {needed}, not {text}"
        if switch is not None:
            yield Found(at(switch), message, (replace_word(switch, 0, str(needed)),))
        else:
            edit = insert_before(store.directive, f"ssl_verify_depth {needed};")
            yield Found(at(store.directive), f"ssl_verify_depth is {text} by default: {message}", (edit,))


RULE = Rule(
    code="mtls-depth-too-small",
    severity=Severity.HIGH,
    summary="ssl_verify_depth is smaller than the number of intermediates.",
    evidence="The depth counts the CAs between client and root, and is 1 by default. The clients got 400 with "
    "error 2 or 20, unable to get issuer certificate, never with chain too long.",
    remedy="set ssl_verify_depth to the number of intermediates",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_verify_depth",
    check=check,
)
