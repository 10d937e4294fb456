"""Whoever is not listed gets in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import return_code
from counterseal.nginx.lint.comparisons import read_condition
from counterseal.nginx.lint.edit import insert_before, replace_word
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.variables import variables_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from counterseal.nginx.lint.comparisons import Comparison
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive

_NO_FLAG = frozenset({("=", "0"), ("!=", "1")})


def check(configuration: Configuration) -> Iterator[Found]:
    """Find maps of subjects whose default gets past the condition that refuses by them."""
    maps = {one.arguments[1]: one for one in configuration.maps if _is_of_subjects(one)}
    for server in configuration.servers if maps else ():
        yield from _of_stream(server, maps) if server.kind == "stream" else ()
        outer = _refusals(server.level)
        decided = {one.subject for one in outer}
        inner = ([one for one in _refusals(level) if one.subject not in decided] for level in server.locations)
        for refusals in (outer, *inner):
            for asked in refusals:
                found = maps.get(asked.subject)
                together = (one for one in refusals if one.subject == asked.subject)
                if found is not None and all(_passes(one, _unlisted(found)) for one in together):
                    yield from _default(found, asked)


def _of_stream(server: Server, maps: Mapping[str, Directive]) -> Iterator[Found]:
    """Find maps by which a stream server passes whoever is not listed on to where those who are listed come."""
    for passing in server.level.here("proxy_pass"):
        entries = (
            maps[passing.arguments[0]].directives if passing.arguments[:1] and passing.arguments[0] in maps else ()
        )
        listed = {one.arguments for one in entries if one.name != "default"}
        for default in entries:
            if default.name == "default" and default.arguments in listed:
                message = f"whoever is not listed is passed on to {default.arguments[0]}, too"
                yield Found(at(default), message, (replace_word(default, 0, "unix:/nonexistent"),), decision=_DECISION)


def _refusals(level: Level) -> list[Comparison]:
    """Return what the conditions of this very level compare that refuse."""
    found = ((return_code(one), read_condition(one.block)) for one in level.inside("if") if one.block is not None)
    return [asked for code, asked in found if code and asked and _refuses(code, asked)]


def _refuses(code: str, asked: Comparison) -> bool:
    """Whether it is an error, or a redirect of those without a flag; another shows the way to those who are listed."""
    return code >= "4" or (code.startswith("3") and (asked.operator, asked.value) in _NO_FLAG)


def _unlisted(directive: Directive) -> str:
    """Return what a map gives to whom it does not list."""
    return next((one.arguments[0] for one in directive.directives if one.name == "default" and one.arguments), "")


def _is_of_subjects(directive: Directive) -> bool:
    return len(directive.arguments) > 1 and "ssl_client_s_dn" in variables_in(directive.arguments[0])


def _default(directive: Directive, asked: Comparison) -> Iterator[Found]:
    """Find the default that gets past, or that there is none where what is listed gets past: it is empty then."""
    message = f"whoever is not listed gets past the check of {asked.subject}"
    entries = [entry for entry in directive.directives if entry.arguments]
    default = next((entry for entry in entries if entry.name == "default"), None)
    if default is not None and _passes(asked, default.arguments[0]):
        yield Found(at(default), message, (replace_word(default, 0, _refused(asked)),), decision=_DECISION)
    elif default is None and _passes(asked, "") and any(_passes(asked, entry.arguments[0]) for entry in entries):
        edits = (insert_before(entries[0], f"default {_refused(asked)};"),)
        yield Found(at(directive), f"{message}: without a default it is empty", edits, decision=_DECISION)


def _passes(asked: Comparison, value: str) -> bool:
    """Whether the value gets past ``if ($admitted = 0)`` or ``if ($admitted != 1)``."""
    return {"=": asked.value != value, "!=": asked.value == value}.get(asked.operator, False)


def _refused(asked: Comparison) -> str:
    """Return a value that the condition refuses."""
    return (asked.value or '""') if asked.operator == "=" else next(one for one in "01" if one != asked.value)


_DECISION = "whether everybody who may pass is listed"


RULE = Rule(
    code="id-map-default-allow",
    severity=Severity.HIGH,
    summary="A map of names admits everybody that it does not list.",
    evidence="Every other valid certificate was admitted: 200. Without a default the variable is empty, and so not 0.",
    remedy="write: default 0; and list whom to admit",
    reference="https://nginx.org/en/docs/http/ngx_http_map_module.html#map",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
