"""A block of the configuration as a level on which directives are set, and what holds there in the end.

Decides inheritance as nginx's merge functions do it: a level that says nothing has what the level around it has; one
that says something, says everything, so a single ``proxy_set_header`` drops all those from outside. What a handler or
the rewrite module is told is not inherited at all.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from counterseal.nginx.tree import Directive

T = TypeVar("T")
NOT_INHERITED = frozenset({
    "if", "return", "rewrite", "set", "break",
    "proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass",
    "stub_status", "empty_gif", "flv", "mp4", "perl", "js_content", "content_by_lua_block", "content_by_lua_file",
    "alias", "internal", "listen", "location", "server_name", "try_files",
})  # fmt: skip
DEFAULTS: Mapping[str, str] = {
    "error_log": "logs/error.log",
    "grpc_ssl_server_name": "off",
    "grpc_ssl_verify": "off",
    "grpc_ssl_verify_depth": "1",
    "ignore_invalid_headers": "on",
    "proxy_ssl": "off",
    "proxy_ssl_server_name": "off",
    "proxy_ssl_verify": "off",
    "proxy_ssl_verify_depth": "1",
    "ssl_early_data": "off",
    "ssl_ocsp": "off",
    "ssl_reject_handshake": "off",
    "ssl_session_cache": "none",
    "ssl_session_tickets": "on",
    "ssl_session_timeout": "5m",
    "ssl_verify_client": "off",
    "ssl_verify_depth": "1",
    "underscores_in_headers": "off",
    "uwsgi_ssl_server_name": "off",
    "uwsgi_ssl_verify": "off",
    "uwsgi_ssl_verify_depth": "1",
}
"""What nginx takes where no level says anything, for the directives that rules ask about."""

_LEVELS = frozenset({"http", "stream", "mail", "server", "location", "if", "limit_except"})


@dataclass(frozen=True, eq=False)
class Level:
    """One block, or the whole configuration where ``block`` is None; compared by identity."""

    directives: tuple[Directive, ...]
    block: Directive | None
    parent: Level | None
    own: Mapping[str, tuple[Directive, ...]]

    @property
    def name(self) -> str:
        """``http``, ``server``, ``location`` …; ``main`` outside every block."""
        return self.block.name if self.block else "main"

    def here(self, name: str) -> tuple[Directive, ...]:
        """Return the directives of that name which stand on this very level."""
        return self.own.get(name, ())

    def all(self, name: str) -> tuple[Directive, ...]:
        """Return the directives of that name which hold here: those of the innermost level that has any."""
        level: Level | None = self
        while level is not None:
            found = level.own.get(name)
            if found or name in NOT_INHERITED:
                return found or ()
            level = level.parent
        return ()

    def effective(self, name: str) -> Directive | None:
        """Return the directive of that name which holds here, or None."""
        found = self.all(name)
        return found[-1] if found else None

    def value(self, name: str) -> str:
        """Return the first argument of what holds here, or nginx's default (empty where it has none)."""
        found = self.effective(name)
        return found.arguments[0] if found and found.arguments else DEFAULTS.get(name, "")

    def file(self, name: str) -> Directive | None:
        """Return the directive that names a file here; None also where it names nothing, as ``ssl_crl ""`` does."""
        return self.effective(name) if self.value(name) else None

    @cached_property
    def inner(self) -> tuple[Level, ...]:
        """The levels directly inside, in the order written."""
        if _LEVELS.isdisjoint(self.own):
            return ()
        blocks = (
            directive for directive in self.directives if directive.name in _LEVELS and directive.block is not None
        )
        return tuple(make_level(directive.directives, directive, self) for directive in blocks)

    @cached_property
    def _inner_by_name(self) -> Mapping[str, tuple[Level, ...]]:
        return grouped((level.name, level) for level in self.inner)

    def inside(self, name: str) -> tuple[Level, ...]:
        """Return the levels of that name directly inside."""
        return self._inner_by_name.get(name, ())

    @cached_property
    def match(self) -> tuple[str, str]:
        """The modifier of a location (empty, ``=``, ``^~``, ``~``, ``~*``, ``@``) and its path, pattern or name."""
        arguments = self.block.arguments if self.block else ()
        if len(arguments) > 1:
            return arguments[0], arguments[1]
        text = arguments[0] if arguments else "/"
        for modifier in ("^~", "~*", "~", "=", "@"):  # nginx reads ``~\.php$`` and ``=/x`` without a space, too
            if text.startswith(modifier):
                return modifier, text.removeprefix(modifier)
        return "", text

    def walk(self) -> Iterator[Level]:
        """Yield this level and every level inside it."""
        yield self
        for level in self.inner:
            yield from level.walk()


def make_level(directives: tuple[Directive, ...], block: Directive | None = None, parent: Level | None = None) -> Level:
    """Return the level of these directives, sorted by name."""
    return Level(directives, block, parent, grouped((directive.name, directive) for directive in directives))


def grouped(pairs: Iterable[tuple[str, T]]) -> Mapping[str, tuple[T, ...]]:
    """Return what each name comes with, in the order of the pairs."""
    found: dict[str, list[T]] = defaultdict(list)
    for name, one in pairs:
        found[name].append(one)
    return {name: tuple(ones) for name, ones in found.items()}
