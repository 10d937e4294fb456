"""What a location hands on to an application: which one, by which protocol, with which headers."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from counterseal.nginx.lint.edit import insert_before, render_line, replace_word
from counterseal.nginx.lint.guards import client_variables
from counterseal.nginx.lint.rule import Found, at
from counterseal.pki.names import is_ip_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive

HEADERS = {"proxy_pass": "proxy_set_header", "grpc_pass": "grpc_set_header"}
_TARGET = re.compile(
    r"(?:(?P<scheme>[a-z]+)://)?(?P<host>unix:[^:]*|\[[^\]]*\]|[^/:]+)(?::(?P<port>\d+))?(?::?(?P<uri>/.*)|:.*)?"
)
_WHOLE_URI = re.compile(r"(?:\$request_uri|\$uri(?:\$is_args\$args)?)\Z")
"""What asks an application for the very path that was asked for."""
_PORTS = {"https": "443", "grpcs": "443"}
_LOOPBACK = {"localhost": ("127.0.0.1", "[::1]")}


@dataclass(frozen=True, slots=True, eq=False)
class Passing:
    """One ``proxy_pass`` or ``grpc_pass``: from which level, and where to; ``host`` may be an upstream group."""

    level: Level
    directive: Directive
    scheme: str
    host: str
    port: str = ""

    @property
    def target(self) -> str:
        """What tells one application from another: host and port."""
        return f"{self.host}:{self.port}" if self.port else self.host

    @property
    def is_tls(self) -> bool:
        """Whether nginx speaks TLS to the application."""
        return self.scheme in {"https", "grpcs"}

    @property
    def prefix(self) -> str:
        """What the names of the TLS directives begin with: ``proxy_ssl`` or ``grpc_ssl``."""
        return _prefix(self.directive.name)

    @property
    def headers(self) -> dict[str, Directive]:
        """The headers that nginx sets, by name in lower case: those of the innermost level that sets any."""
        found = self.level.all(HEADERS[self.directive.name])
        return {one.arguments[0].lower(): one for one in found if len(one.arguments) > 1}

    def overwrites(self, header: str) -> bool:
        """Whether a header, in lower case, cannot be the client's own: nginx sets it, or headers-more sees to it."""
        return header in self.headers or any(fnmatchcase(header, pattern) for pattern in _seen_to(self.level))


def _seen_to(level: Level | None) -> Iterator[str]:
    """Yield the headers that headers-more sets or drops whatever they are: unlike nginx's own, levels add up."""
    while level is not None:
        for one in (*level.here("more_set_input_headers"), *level.here("more_clear_input_headers")):
            if not any(text.startswith("-") and text != "-r" for text in one.arguments):
                yield from (text.partition(":")[0].strip().lower() for text in one.arguments)
        level = level.parent


def passings(server: Server) -> Iterator[Passing]:
    """Yield what the server hands on over HTTP or gRPC; where a variable says whom to, nothing is known."""
    for name in HEADERS if server.kind == "http" else ():
        for level in server.having(name):
            for directive in level.here(name):
                match = _TARGET.fullmatch(directive.arguments[0]) if directive.arguments else None
                if match is not None and "$" not in match["host"]:
                    yield Passing(level, directive, _scheme(match, name), match["host"].lower(), match["port"] or "")


def unverified(server: Server, name: str, scheme: str) -> Iterator[Found]:
    """Find each directive of the name that speaks TLS and verifies nobody; whom it speaks to may be a variable."""
    prefix = _prefix(name)
    for level in server.having(name) if server.kind == "http" else ():
        for one in level.here(name) if level.value(f"{prefix}_verify") == "off" else ():
            text = one.arguments[0] if one.arguments else ""
            if text.lower().startswith(scheme):
                yield not_verified(level, one, one, text[len(scheme) :].partition("/")[0])


def not_verified(level: Level, culprit: Directive, passing: Directive, target: str) -> Found:
    """Return the finding that an upstream is not verified; where no CAs are named, nobody knows yet whom to believe."""
    prefix = _prefix(passing.name)
    switch, trusted = f"{prefix}_verify", f"{prefix}_trusted_certificate"
    own, is_named = level.here(switch), level.file(trusted) is not None
    edits = [] if is_named else [insert_before(passing, f"{trusted} <upstream-ca.pem>;")]
    edits.append(replace_word(own[-1], 0, "on") if own else insert_before(passing, f"{switch} on;"))
    message = f"the certificate of {target} is not verified"
    decision = "" if is_named else "which CA issues the certificate of the upstream"
    return Found(at(culprit), message, tuple(edits), decision=decision)


def _prefix(name: str) -> str:
    return f"{name.removesuffix('_pass')}_ssl"


def _scheme(match: re.Match[str], name: str) -> str:
    return (match["scheme"] or ("http" if name == "proxy_pass" else "grpc")).lower()


def identity_headers(configuration: Configuration, passing: Passing) -> frozenset[str]:
    """Return the names of the headers, in lower case, by which the application is told who the client is."""
    headers = passing.headers.items()
    return frozenset(name for name, one in headers if client_variables(configuration, *one.arguments[1:]))


def cleared(passing: Passing, names: Iterable[str]) -> tuple[Edit, ...]:
    """Return the edits that take headers of the client away; those from outside are repeated if none is set here."""
    name = HEADERS[passing.directive.name]
    own = passing.level.here(name)
    lines = [] if own else [render_line(header) for header in passing.level.all(name)]
    lines += [f'{name} {header} "";' for header in names]
    return tuple(insert_before(own[0] if own else passing.directive, line) for line in lines)


def lost_headers(configuration: Configuration, passing: Passing) -> tuple[dict[str, Directive], Directive | None]:
    """Return the identity headers that the level around sets and this one drops, and the first that it sets itself."""
    name = HEADERS[passing.directive.name]
    inner = _setting(passing.level, name)
    outer = _setting(inner.parent, name) if inner and inner.parent else None
    if inner is None or outer is None:
        return {}, None
    around = replace(passing, level=outer)
    dropped = (header for header in identity_headers(configuration, around) if not passing.overwrites(header))
    return {header: around.headers[header] for header in sorted(dropped)}, inner.here(name)[0]


def _setting(level: Level | None, name: str) -> Level | None:
    """Return the innermost level from here outwards that sets headers."""
    while level is not None and not level.here(name):
        level = level.parent
    return level


def addresses(configuration: Configuration, passing: Passing) -> tuple[str, ...]:
    """Return the hosts behind a target: those of the upstream group, or itself."""
    group = configuration.upstreams.get(passing.host)
    if group is None:
        return (passing.host,)
    servers = (one.arguments[0] for one in group.directives if one.name == "server" and one.arguments)
    return tuple(match["host"].lower() for text in servers if (match := _TARGET.fullmatch(text)))


def members(configuration: Configuration, target: str) -> frozenset[str]:
    """Return host and port of everyone who may be asked where a target is named: one group member is like another.

    Members that are ``down`` are not asked. Nothing is known of what a variable names.
    """
    match = _TARGET.fullmatch(_WHOLE_URI.sub("", target))
    if match is None or "$" in match["host"]:
        return frozenset()
    group = configuration.upstreams.get(match["host"])
    if group is None:
        return _sockets(match, _PORTS.get((match["scheme"] or "").lower(), "80"))
    servers = (one.arguments for one in group.directives if one.name == "server" and "down" not in one.arguments)
    named = (_TARGET.fullmatch(arguments[0]) for arguments in servers if arguments)
    return frozenset[str]().union(*(_sockets(one, "80") for one in named if one is not None))


def _sockets(match: re.Match[str], port: str) -> frozenset[str]:
    host = match["host"].lower()
    if host.startswith("unix:"):
        return frozenset({match["host"]})
    return frozenset(f"{one}:{match['port'] or port}" for one in _LOOPBACK.get(host, (host,)))


def read_host(target: str) -> str:
    """Return the host of a target in lower case; empty where a variable says whom to ask."""
    match = _TARGET.fullmatch(target)
    return match["host"].lower() if match is not None and "$" not in match["host"] else ""


def read_uri(directive: Directive) -> str:
    """Return the path by which a ``proxy_pass`` replaces that of its location; empty where it does not."""
    target = directive.arguments[0] if directive.name == "proxy_pass" and directive.arguments else ""
    match = _TARGET.fullmatch(_WHOLE_URI.sub("", target))
    return match["uri"] or "" if match is not None else ""


def is_remote(host: str) -> bool:
    """Whether a host is surely another machine: an address that is not loopback, or a name with a dot.

    A name without one may be a container on this machine.
    """
    if host.startswith("unix:") or host == "localhost" or host.endswith(".localhost"):
        return False
    return not ipaddress.ip_address(host.strip("[]")).is_loopback if is_ip_address(host) else "." in host
