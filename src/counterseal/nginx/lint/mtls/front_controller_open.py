"""The program that answers a guarded path is also asked directly, with that path behind its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import application, is_reachable
from counterseal.nginx.lint.edit import insert_into
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import guards, is_guarded, told
from counterseal.nginx.lint.locations import PREFIXES, takes
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.tree import Directive


def check(configuration: Configuration) -> Iterator[Found]:
    """Find guarded prefixes whose requests end at a program that takes their path from anybody, too.

    One that is told the verdict may look at it itself, and one that looks whether there is such a file finds none.
    """
    for server in configuration.servers:
        if server.kind != "http" or is_guarded(configuration, server.level):
            continue
        for location in server.locations if server.having("try_files", "rewrite") else ():
            modifier, prefix = location.match
            is_checked = modifier in PREFIXES and guards(configuration, location)
            for ending, target in _endings(location) if is_checked else ():
                asked = takes(configuration, server, target)
                is_asked_directly = takes(configuration, server, f"{target}{prefix}") is asked
                if asked is not None and is_asked_directly and _is_open(configuration, asked, ending):
                    message = f"GET {target}{prefix} reaches {target} without the check of {prefix}"
                    yield Found(at(ending), message, insert_into(asked, "internal;"), decision=_DECISION)


def _endings(location: Level) -> Iterator[tuple[Directive, str]]:
    """Yield what leads requests of the location to another one, with the path there."""
    for one in (*location.here("try_files"), *location.here("rewrite")):
        target = "".join(one.arguments[-1:] if one.name == "try_files" else one.arguments[1:2])
        path = target.partition("?")[0].partition("$")[0]
        if path.startswith("/") and not path.endswith("/") and one.arguments[2:] != ("break",):
            yield one, path


def _is_open(configuration: Configuration, asked: Level, ending: Directive) -> bool:
    """Whether anybody may ask there; a rewrite to a prefix is found by ``mtls-location-check-bypassed``."""
    if ending.name == "rewrite" and asked.match[0] in PREFIXES:
        return False
    looks_at_file = [*asked.here("try_files"), *(one.block for one in asked.inside("if") if one.block)]
    is_split = bool(asked.all("fastcgi_split_path_info"))
    is_told = "ssl_client_verify" in told(configuration, asked)
    is_asked = application(asked) is not None and is_reachable(asked) and not is_guarded(configuration, asked)
    return is_asked and not is_told and (is_split or not looks_at_file)


_DECISION = "whether nobody is to ask for the program by its own name"


RULE = Rule(
    code="mtls-front-controller-open",
    severity=Severity.HIGH,
    summary="The program behind a guarded path can be asked for that path by its own name.",
    evidence="Where /admin/ looked at the certificate and ended at /index.php, which answered behind ~ \\.php(/|$), "
    "GET /index.php/admin/ was handed to the same program without a certificate.",
    remedy="write internal; in the location of the program, or check the certificate at server level",
    reference="https://nginx.org/en/docs/http/ngx_http_core_module.html#internal",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
