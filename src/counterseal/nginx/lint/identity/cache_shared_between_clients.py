"""One client is given the answer that was made for another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import insert_before, replace_word
from counterseal.nginx.lint.guards import client_variables
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.tree import Directive

_KINDS = {"proxy_pass": "proxy", "fastcgi_pass": "fastcgi", "uwsgi_pass": "uwsgi", "scgi_pass": "scgi"}
_KEYS = {"proxy_cache_key": "$scheme$proxy_host$request_uri"}
"""What nginx takes where no level says it; the others have to be told."""
_CLIENT = "$ssl_client_fingerprint"
_TELLING = ("proxy_set_header", "fastcgi_param", "uwsgi_param", "scgi_param")


def check(configuration: Configuration) -> Iterator[Found]:
    """Find caches in locations that tell the application more of the client than the verdict."""
    for server in configuration.guarded:
        for level in server.levels:
            for name, kind in _KINDS.items():
                cache = level.effective(f"{kind}_cache") if level.here(name) else None
                if cache is not None and cache.arguments != ("off",) and _is_shared(configuration, level, kind):
                    message = f"answers to one client are given to others: no identity in {kind}_cache_key"
                    yield Found(at(cache), message, _told_apart(level, level.here(name)[0], f"{kind}_cache_key"))


def _told_apart(level: Level, passing: Directive, name: str) -> tuple[Edit, ...]:
    """Add the client to the key of this very level, which is written here where it stands further out."""
    own, around = level.here(name), level.effective(name)
    key = around.arguments[0] if around and around.arguments else _KEYS.get(name)
    if not key or '"' in key:
        return ()
    told = f'"{key}{_CLIENT}"'
    return (replace_word(own[-1], 0, told) if own else insert_before(passing, f"{name} {told};"),)


def _is_shared(configuration: Configuration, level: Level, kind: str) -> bool:
    told = (text for name in _TELLING for one in level.all(name) for text in one.arguments[1:])
    parting = (f"{kind}_cache_key", f"{kind}_no_cache", f"{kind}_cache_bypass")
    parted = (text for name in parting for one in level.all(name) for text in one.arguments)
    identity = client_variables(configuration, *told) - {"ssl_client_verify"}
    return bool(identity) and not client_variables(configuration, *parted)


RULE = Rule(
    code="id-cache-shared-between-clients",
    severity=Severity.HIGH,
    summary="Answers that depend on the client are cached under a key that does not.",
    evidence="The second client received what the application had answered to the first one: bob got alice's page.",
    remedy="add $ssl_client_fingerprint to proxy_cache_key, or do not cache where the application is told who "
    "the client is",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_key",
    check=check,
)
