"""What nginx keeps of answers: in which zone, under which key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.nginx.lint.edit import insert_before, replace_word
from counterseal.nginx.lint.guards import client_variables, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive

_KINDS = {"proxy_pass": "proxy", "fastcgi_pass": "fastcgi", "uwsgi_pass": "uwsgi", "scgi_pass": "scgi"}
_KEYS = {"proxy": "$scheme$proxy_host$request_uri"}
"""What nginx takes where no level says it; the others have to be told."""


@dataclass(frozen=True, slots=True)
class Cached:
    """A level whose answers are kept: ``passing`` says who gives them, ``zone`` where they are, ``key`` what by."""

    level: Level
    kind: str
    passing: Directive
    zone: Directive
    key: str

    def told(self, configuration: Configuration) -> frozenset[str]:
        """Return the ``ssl_client_*`` variables that the application is told, on which its answer may depend."""
        return told(configuration, self.level)

    def is_parted(self, configuration: Configuration) -> bool:
        """Whether the key, or what is not kept, depends on the client."""
        names = (f"{self.kind}_cache_key", f"{self.kind}_no_cache", f"{self.kind}_cache_bypass")
        texts = (text for name in names for one in self.level.all(name) for text in one.arguments)
        return bool(client_variables(configuration, *texts))

    def parted_by(self, variable: str) -> tuple[Edit, ...]:
        """Add a variable to the key of this very level, which is written here where it stands further out."""
        name = f"{self.kind}_cache_key"
        own = [one for one in self.level.here(name) if one.arguments]
        if not self.key or '"' in self.key:
            return ()
        told = f'"{self.key}{variable}"'
        return (replace_word(own[-1], 0, told) if own else insert_before(self.passing, f"{name} {told};"),)


def cached(server: Server) -> Iterator[Cached]:
    """Yield the levels of a server whose answers are kept."""
    for name, kind in _KINDS.items() if server.kind == "http" else ():
        for level in server.having(name):
            zone = level.effective(f"{kind}_cache")
            if zone is not None and zone.arguments not in {(), ("off",)}:
                key = level.value(f"{kind}_cache_key") or _KEYS.get(kind, "")
                yield Cached(level, kind, level.here(name)[0], zone, key)
