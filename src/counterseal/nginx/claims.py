"""What a configuration already takes: which name on which socket, and which directives of the http block.

Used to refuse a deploy that would collide with the user's own server blocks, with file and line. Works on an expanded
tree (``includes.expand``); resolves no host name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.findings import Finding, Severity
from counterseal.nginx.listening import read_address
from counterseal.nginx.site import Site
from counterseal.nginx.tree import walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterseal.nginx.any_site import AnySite
    from counterseal.nginx.listen import Listen
    from counterseal.nginx.tree import Directive, Placed, Tree


@dataclass(frozen=True, slots=True)
class Claim:
    """One socket of one server block; in ``stream`` and ``mail`` the whole socket is taken."""

    address: str
    first_port: int
    last_port: int
    server_names: tuple[str, ...]
    is_default: bool
    kind: str
    file: str
    line: int

    def takes(self, listen: Listen) -> bool:
        """Whether this is the very socket of ``listen``; a wildcard and one address are different sockets to nginx."""
        return self.address == listen.address and self._has_port(listen)

    def covers(self, listen: Listen) -> bool:
        """Whether this is one address of the wildcard ``listen``, and gets what is asked there in its place."""
        is_of_family = self.address != "*" and self.address.startswith("[") == (listen.address == "[::]")
        is_other = self.address != listen.address and (is_of_family or self.address == _LOCALHOST)
        return is_other and listen.address in _WILDCARDS and self._has_port(listen)

    def answers_proof(self, listen: Listen) -> bool:
        """Whether what proves ``listen`` from this machine would meet this server."""
        return self.address.strip("[]") in {listen.reached_at, _LOCALHOST}

    def _has_port(self, listen: Listen) -> bool:
        return self.first_port <= listen.port <= self.last_port


def find_claims(tree: Tree) -> tuple[Claim, ...]:
    """Return what every server block of the tree listens on; Unix sockets are left out."""
    return tuple(claim for placed in walk(tree) if placed.directive.name == "server" for claim in _claims(placed))


def find_block_directives(tree: Tree, block: str) -> frozenset[str]:
    """Return the names of the directives right in the ``http`` or ``stream`` block; most may not be given twice."""
    return frozenset(placed.directive.name for placed in walk(tree) if placed.context == (block,))


def ends_old_workers(tree: Tree) -> bool:
    """Whether old workers end within a bound after a reload."""
    return any(is_bound(one) for one in tree.directives if one.name == "worker_shutdown_timeout")


def is_bound(timeout: Directive) -> bool:
    """Whether a ``worker_shutdown_timeout`` is a bound; 0 stands for none."""
    return re.fullmatch("0+[a-z]*", "".join(timeout.arguments)) is None


def find_collisions(claims: Sequence[Claim], sites: Sequence[AnySite]) -> tuple[Finding, ...]:
    """Say which sites cannot be deployed beside these claims: same name, same default server, or a foreign protocol."""
    return tuple(
        Finding(code, Severity.HIGH, message, where=f"{claim.file}:{claim.line}", hint=hint)
        for site in sites
        for claim in claims
        for code, message, hint in _collisions(claim, site)
    )


_WILDCARDS = ("*", "[::]")
_LOCALHOST = "localhost"
_KEEP_OR_NOT = (
    "remove that server block first; or keep it, and include our parts: counterseal nginx render --snippets --out DIR"
)


def _collisions(claim: Claim, site: AnySite) -> Iterator[tuple[str, str, str]]:
    same = sorted(set(claim.server_names) & {name.lower() for name in site.server_names})
    wanted = next((listen for listen in site.sockets if claim.takes(listen)), None)
    if wanted is None:
        yield from _covered(claim, site, same)
    elif claim.kind != "http" or not isinstance(site, Site):
        yield "nginx.port_taken", f"port is taken by a {claim.kind} server: {wanted}", "choose another port"
    elif same:
        yield "nginx.name_taken", f"server name is taken on {wanted}: {same[0]}", _KEEP_OR_NOT
    elif claim.is_default and wanted in site.listen:
        hint = "remove default_server there: ours refuses handshakes for unknown names, which mutual TLS needs"
        yield "nginx.default_taken", f"default server of {wanted} is taken", hint


def _covered(claim: Claim, site: AnySite, same: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong where nginx gives what is asked at one address of our wildcard to this server."""
    wanted = next((listen for listen in site.sockets if claim.covers(listen)), None)
    if wanted is None:
        return
    at, hint = f"{claim.address}:{wanted.port}", "choose another port, or listen on single addresses"
    if claim.kind != "http" or not isinstance(site, Site):
        yield "nginx.port_taken", f"port is taken by a {claim.kind} server: {at}, of {wanted}", hint
    elif same:
        yield "nginx.name_taken", f"server name is taken on {at}, of {wanted}: {same[0]}", _KEEP_OR_NOT
    elif claim.answers_proof(wanted):
        yield "nginx.port_taken", f"port is taken where the proof asks for {wanted}: {at}", hint


def _claims(placed: Placed) -> Iterator[Claim]:
    kind = placed.context[0] if placed.context in {("http",), ("stream",), ("mail",)} else None
    if kind is None:
        return
    server = placed.directive
    names = tuple(name.lower() for line in _named(server, "server_name") for name in line.arguments)
    listens = _named(server, "listen")
    if not listens and kind == "http":
        yield Claim("*", 80, 80, names, is_default=False, kind=kind, file=server.file, line=server.line)
    for listen in listens:
        socket = read_address(listen.arguments[0]) if listen.arguments else None
        if socket is not None:
            default = bool({"default_server", "default"} & set(listen.arguments[1:]))
            yield Claim(*socket, names, is_default=default, kind=kind, file=listen.file, line=listen.line)


def _named(server: Directive, name: str) -> list[Directive]:
    return [directive for directive in server.directives if directive.name == name]
