"""A refused client is handed to the application."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import application, succeeds
from counterseal.nginx.lint.edit import remove, write_arguments
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import is_guarded, refusals
from counterseal.nginx.lint.locations import find_location
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive

_OF_TLS = frozenset({"495", "496"})
_EVERYTHING = frozenset({"^", ".*", "^.*", "^.*$", "^(.*)$"})


def check(configuration: Configuration) -> Iterator[Found]:
    """Find error pages that run an application or answer 2xx for those who were refused.

    For 495 and 496 those in force outside the locations count. A named location, or a path with a variable in it, gets
    the request as the client made it. A fixed path is another request, and harmless as long as it does not turn the
    refusal into a success.
    """
    for server in configuration.guarded:
        yield from _of_conditions(configuration, server)
        for page in server.level.all("error_page"):
            *codes, target = page.arguments or ("",)
            if not _OF_TLS & set(codes) or "://" in target:
                continue
            location = find_location(server, target)
            if location is None or is_guarded(configuration, location):
                continue
            is_asked = application(location) is not None
            if is_asked and (target.startswith("@") or "$" in target or _may_succeed(codes)):
                message = f"refused clients reach the application through {target}"
                yield Found(at(page), message, _kept(page, _OF_TLS), decision=_DECISION)
            elif succeeds(location) and _may_succeed(codes):
                message = f"refused clients are answered 2xx by {target}"
                yield Found(at(page), message, _kept(page, _OF_TLS), decision=_DECISION)


def _of_conditions(configuration: Configuration, server: Server) -> Iterator[Found]:
    """Find named locations to which a refusal leads: the conditions, or the subrequest, are not looked at again.

    One that runs another application than the rest of the server, such as a login, is meant; so is one page of it.
    """
    applications = Counter(asked.arguments for one in server.locations if (asked := application(one)) is not None)
    is_only_one = applications.total() == 1
    for level in (server.level, *server.locations):
        codes = refusals(configuration, level)
        for page in level.all("error_page") if codes else ():
            *named, target = page.arguments or ("",)
            location = find_location(server, target) if target.startswith("@") else None
            refused = sorted(codes & set(named))
            if location is None or not refused or is_guarded(configuration, location):
                continue
            asked = application(location)
            if asked is None or _is_one_page(configuration, location, asked):
                continue
            if applications[asked.arguments] > 1 or is_only_one:
                message = f"clients refused with {refused[0]} reach the application through {target}"
                yield Found(at(page), message, _kept(page, codes), decision=_DECISION)


def _is_one_page(configuration: Configuration, location: Level, asked: Directive) -> bool:
    """Whether an HTTP application is asked for one path whatever the client asked for, such as that of a login."""
    pattern, target = next((one.arguments[:2] for one in location.here("rewrite") if len(one.arguments) > 1), ("", ""))
    is_fixed = pattern in _EVERYTHING and "$" not in target.partition("?")[0]
    is_told_more = "request_uri" in configuration.variables.behind(*asked.arguments)
    return is_fixed and asked.name == "proxy_pass" and not is_told_more


def _kept(page: Directive, codes: frozenset[str]) -> tuple[Edit, ...]:
    """Return the edit that takes these codes out of an ``error_page``, or the whole of it where none is left."""
    *words, target = (word.raw for word in page.words[1:])
    left = [word for word in words if word not in codes]
    is_empty = not any(word.isdecimal() for word in left)
    return (remove(page) if is_empty else write_arguments(page, [*left, target]),)


def _may_succeed(codes: list[str]) -> bool:
    """Whether ``=`` takes the status of the location, or sets a success; without it the code of the error stays."""
    answer = next((code.removeprefix("=") for code in codes if code.startswith("=")), None)
    return answer is not None and (not answer or answer.startswith("2"))


_DECISION = "what refused clients are to see instead of nginx's own page"


RULE = Rule(
    code="mtls-error-page-forwards",
    severity=Severity.CRITICAL,
    summary="error_page sends clients that were refused to the application.",
    evidence="The internal redirect is not verified again, and = keeps the status of the application: 200 for a "
    "client without certificate and for one whose certificate had expired. A named location does not run the "
    "conditions of the server either: return 403 with error_page 403 = @app gave 200, too, and a subrequest is not "
    "asked again.",
    remedy="answer refusals with something static and a code of your own: error_page 495 496 =403 @denied;",
    reference="https://nginx.org/en/docs/http/ngx_http_core_module.html#error_page",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
