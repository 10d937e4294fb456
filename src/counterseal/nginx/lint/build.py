"""From the expanded tree to the model: which servers there are, and which stands behind which socket.

A file without ``http`` block is read as a part of one, or of a server block, so that a single site file can be judged;
what the levels outside of it say is then unknown, and the model says so.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from counterseal.nginx.lint.level import make_level
from counterseal.nginx.lint.model import Configuration, Listen, Server, Socket
from counterseal.nginx.lint.variables import read_variables
from counterseal.nginx.listening import read_address
from counterseal.nginx.tree import Block, Directive, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from cryptography import x509

    from counterseal.nginx.lint.files import NamedFile
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.tree import Tree
    from counterseal.nginx.version import NginxVersion

KINDS = ("http", "stream", "mail")
_IN_SERVER = frozenset({"listen", "server_name", "location", "ssl_certificate", "ssl_verify_client"})
_OF_MAIN = frozenset({*KINDS, "events"})
_SSL_DIRECTIVE_ENDS = (1, 25, 1)


def build(
    tree: Tree,
    *,
    version: NginxVersion,
    now: datetime,
    files: Mapping[str, NamedFile] | None = None,
    neighbours: tuple[x509.Certificate, ...] = (),
) -> Configuration:
    """Return the model of an expanded tree."""
    directives, is_fragment = _completed(tree)
    main = make_level(directives)
    outer = [level for kind in KINDS for level in main.inside(kind)]
    servers = tuple(_server(level) for around in outer for level in around.inside("server"))
    sockets = tuple(_sockets(servers, version))
    behind: dict[Server, list[Socket]] = defaultdict(list)
    for socket in sockets:
        for server in socket.servers:
            behind[server].append(socket)
    return Configuration(
        main=main,
        servers=servers,
        sockets=sockets,
        variables=read_variables(directives),
        version=version,
        now=now,
        is_fragment=is_fragment,
        upstreams=_named(outer, "upstream"),
        maps=tuple(one for level in outer for one in level.here("map")),
        log_formats=_named(outer, "log_format"),
        files=files or {},
        neighbours=neighbours,
        sockets_by_server={server: tuple(found) for server, found in behind.items()},
    )


def _completed(tree: Tree) -> tuple[tuple[Directive, ...], bool]:
    """Return the directives of a whole configuration, and whether blocks had to be put around what was read."""
    names = {directive.name for directive in tree.directives}
    if not names or names & _OF_MAIN:
        return tree.directives, False
    inner = tree.directives
    if "server" not in names and names & _IN_SERVER:
        inner = (_wrapped("server", tree.file, inner),)
    return (_wrapped("http", tree.file, inner),), True


def _wrapped(name: str, file: str, directives: tuple[Directive, ...]) -> Directive:
    return Directive(file, (Word(name, directives[0].line, directives[0].column),), "", Block(directives))


def _server(level: Level) -> Server:
    kind = level.parent.name if level.parent else ""
    listens = tuple(_listen(directive) for directive in level.here("listen") if directive.arguments)
    if not listens and kind == "http":
        listens = (Listen("*:80"),)
    names = tuple(name for line in level.here("server_name") for word in line.arguments for name in names_of(word))
    return Server(kind, level, listens, names or ("",))


def names_of(word: str) -> tuple[str, ...]:
    """Return the names, in lower case, that a word of ``server_name`` stands for: ``.a.test`` for two."""
    name = word.lower()
    return (name[1:], f"*{name}") if name.startswith(".") else (name,)


def _listen(directive: Directive) -> Listen:
    text, *parameters = directive.arguments
    address = read_address(text)
    socket = text
    if address is not None:
        ports = str(address.first_port)
        ports += f"-{address.last_port}" if address.last_port != address.first_port else ""
        socket = f"{address.host}:{ports}"
    return Listen(socket, tuple(parameters), directive)


def _sockets(servers: Iterable[Server], version: NginxVersion) -> Iterator[Socket]:
    """Yield what is listened on; UDP is apart from TCP, and one ``ssl`` makes the whole socket speak TLS."""
    found: dict[tuple[str, str, bool], list[tuple[Server, Listen]]] = defaultdict(list)
    for server in servers:
        for listen in server.listens:
            is_udp = "udp" in listen.parameters or "quic" in listen.parameters
            found[server.kind, listen.socket, is_udp].append((server, listen))
    for (kind, name, is_udp), members in found.items():
        first = sorted(members, key=lambda member: not member[1].is_default)
        is_tls = any(_asks_tls(server, listen, version) for server, listen in members)
        unique = tuple(dict.fromkeys(server for server, _ in first))
        yield Socket(kind, f"{name}/udp" if is_udp else name, is_tls, unique)


def _asks_tls(server: Server, listen: Listen, version: NginxVersion) -> bool:
    if {"ssl", "quic"} & set(listen.parameters):
        return True
    return version.number < _SSL_DIRECTIVE_ENDS and server.level.value("ssl") == "on"


def _named(levels: Iterable[Level], name: str) -> dict[str, Directive]:
    return {one.arguments[0]: one for level in levels for one in level.here(name) if one.arguments}
