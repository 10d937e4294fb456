"""Whose session settings count: before 1.29.2 those of the default server of the socket, whatever SNI says.

OpenSSL looks for a session before it learns which server is meant; 1.29.2 moved the choice of the server before that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.lint.edit import Edit, insert_into, replace_word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive

OWN_CONTEXT = (1, 29, 2)


def session_levels(configuration: Configuration, server: Server) -> Iterator[Level]:
    """Yield the level whose session directives decide, for each TLS socket of the server."""
    for socket in configuration.sockets_of(server):
        if socket.is_tls:
            decides = server if configuration.version.number >= OWN_CONTEXT else socket.default
            yield decides.level


def has_tickets(level: Level) -> bool:
    """Whether session tickets are given out; what OpenSSL is told by ``ssl_conf_command`` comes last."""
    command = ticket_command(level)
    if command is not None:
        return not command[1].startswith("-")
    return level.value("ssl_session_tickets") == "on"


def ticket_command(level: Level) -> tuple[Directive, str] | None:
    """Return the last ``ssl_conf_command Options`` about tickets, with its option; None without one."""
    found = None
    for command in level.all("ssl_conf_command"):
        name, *values = command.arguments or ("",)
        for option in ",".join(values).split(",") if name.lower() == "options" else ():
            if option.strip().lower().lstrip("+-") == "sessionticket":
                found = command, option.strip()
    return found


def command_off(command: Directive, option: str) -> tuple[Edit, ...]:
    """Return the edit that takes an option of ``ssl_conf_command Options`` back."""
    word = next(word for word in command.words if option in word.text)
    new = word.raw.replace(option, f"-{option.lstrip('+-')}")
    return (Edit(command.file, word.line, word.column, word.raw, new),)


def tickets_off(level: Level) -> tuple[Edit, ...]:
    """Return the edit of the switch that holds; without one it is put where all servers have it, if that is at hand."""
    switch, around = level.effective("ssl_session_tickets"), level.parent
    if switch is not None:
        return (replace_word(switch, 0, "off"),)
    return insert_into(around if around is not None and around.directives else level, "ssl_session_tickets off;")


def cache_off(level: Level) -> tuple[Edit, ...]:
    """Return the edit that takes the one cache away; none where there are two."""
    cache = level.effective("ssl_session_cache")
    return (replace_word(cache, 0, "off"),) if cache is not None and len(cache.arguments) == 1 else ()


def shared_zone(level: Level) -> str | None:
    """Return the name of the shared session cache, or None."""
    caches = level.effective("ssl_session_cache")
    shared = [text for text in (caches.arguments if caches else ()) if text.startswith("shared:")]
    return shared[0].split(":")[1] if shared else None


def resumes(level: Level) -> bool:
    """Whether a client can resume a session at all."""
    cache = level.value("ssl_session_cache")
    return has_tickets(level) or cache.startswith(("shared:", "builtin"))
