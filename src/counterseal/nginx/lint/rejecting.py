"""A default server that completes no handshake: whoever sends no name, or an unknown one, is not let in anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.lint.edit import insert_before, write_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.model import Socket

_OF_PROTOCOL = frozenset({"ssl", "http2", "proxy_protocol", "quic"})
"""What every listen of a socket has to say alike; options of the socket itself stand once."""
_DEFAULT = frozenset({"default_server", "default"})


def rejecting(socket: Socket) -> tuple[Edit, ...]:
    """Return the edits that put such a server in front of those of a socket."""
    server = socket.default
    edits = list(_no_default(socket))
    for listen in server.listens:
        if listen.directive is not None and listen.socket == socket.name.removesuffix("/udp"):
            address, *parameters = (word.raw for word in listen.directive.words[1:])
            kept = " ".join(word for word in parameters if word in _OF_PROTOCOL)
            text = f"server {{ listen {address} {kept} default_server; ssl_reject_handshake on; }}"
            edits.append(insert_before(server.block, text))
    return tuple(edits)


def _no_default(socket: Socket) -> Iterator[Edit]:
    for listen in socket.default.listens:
        if listen.directive is not None and listen.is_default:
            words = [word.raw for word in listen.directive.words[1:]]
            yield write_arguments(listen.directive, [word for word in words if word not in _DEFAULT])
