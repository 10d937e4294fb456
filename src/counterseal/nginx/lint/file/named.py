"""Which directives of the model name a file that was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.lint.files import NAMING
from counterseal.nginx.lint.remembered import remembered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.tree import Directive

DECISION = "which file is meant"
MISSING = "no such file or directory"
CLOSED = "permission denied"


def naming_directives(configuration: Configuration, names: Collection[str] = NAMING) -> Iterator[Directive]:
    """Yield every directive of those names in the configuration whose file was looked at."""
    return (one for one in _naming(configuration, configuration.main) if one.name in names)


@remembered
def _naming(configuration: Configuration, main: Level) -> tuple[Directive, ...]:
    levels = main.walk() if configuration.files else ()
    named = (one for level in levels for name in sorted(NAMING & level.own.keys()) for one in level.here(name))
    return tuple(one for one in named if configuration.file(one) is not None)


def placeholder(directive: Directive) -> str:
    """Return what stands for the name of the right file in a suggestion."""
    if directive.name.endswith("_key"):
        return "<private.key>"
    return "<list.crl>" if directive.name.endswith("_crl") else "<certificate.pem>"
