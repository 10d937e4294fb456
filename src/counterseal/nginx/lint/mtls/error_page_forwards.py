"""A refused client is handed to the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import application, succeeds
from counterseal.nginx.lint.guards import is_guarded
from counterseal.nginx.lint.locations import find_location
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find the error pages for 495 and 496, in force outside the locations, that run an application or answer 2xx.

    A named location, or a path with a variable in it, gets the request as the client made it. A fixed path is another
    request, and harmless as long as it does not turn the refusal into a success.
    """
    for server in configuration.guarded:
        for page in server.level.all("error_page"):
            *codes, target = page.arguments or ("",)
            if not {"495", "496"} & set(codes) or "://" in target:
                continue
            location = find_location(server, target)
            if location is None or is_guarded(configuration, location):
                continue
            is_asked = application(location) is not None
            if is_asked and (target.startswith("@") or "$" in target or _may_succeed(codes)):
                yield Found(at(page), f"refused clients reach the application through {target}")
            elif succeeds(location) and _may_succeed(codes):
                yield Found(at(page), f"refused clients are answered 2xx by {target}")


def _may_succeed(codes: list[str]) -> bool:
    """Whether ``=`` takes the status of the location, or sets a success; without it the code of the error stays."""
    answer = next((code.removeprefix("=") for code in codes if code.startswith("=")), None)
    return answer is not None and (not answer or answer.startswith("2"))


RULE = Rule(
    code="mtls-error-page-forwards",
    severity=Severity.CRITICAL,
    summary="error_page sends 495 or 496 to the application.",
    evidence="The internal redirect is not verified again, and = keeps the status of the application: 200 for a "
    "client without certificate and for one whose certificate had expired.",
    remedy="answer 495 and 496 with something static and a code of your own: error_page 495 496 =403 @denied;",
    reference="https://nginx.org/en/docs/http/ngx_http_core_module.html#error_page",
    check=check,
)
