"""How text is put into an nginx configuration: quoted, as an exact regular expression, as a block.

nginx has no escape for ``$`` in a value, so ``quote`` refuses it; what is meant to hold variables goes through
``interpolate``, which only our own constants may.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from counterseal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SPECIAL = re.compile(r"[^A-Za-z0-9_ ,=:-]")


def quote(text: str) -> str:
    """Return ``text`` as one word that nginx reads back unchanged, in any directive; raises InputError for ``$``."""
    if "$" in text or _CONTROL.search(text):
        raise InputError("nginx.unquotable", f"nginx cannot take this as a value: {text[:80]!r}")
    return interpolate(text)


def interpolate(text: str) -> str:
    """Return a constant of ours as one word, in which nginx replaces variables."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def pattern(expression: str) -> str:
    """Return a regular expression as the key of a map; there nginx replaces no variables."""
    return interpolate("~" + expression)


def exact(text: str) -> str:
    """Return the part of a regular expression that matches ``text`` and nothing else."""
    return _SPECIAL.sub(lambda match: "".join(f"\\x{octet:02x}" for octet in match[0].encode()), text)


def whole(text: str) -> str:
    """Return the key of a map that matches ``text`` as a whole, case included."""
    return pattern(f"^{exact(text)}\\z")


def block(head: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield a block with its lines moved in by four spaces."""
    yield f"{head} {{"
    for line in lines:
        yield f"    {line}" if line else ""
    yield "}"


def choose(source: str, name: str, cases: Iterable[tuple[str, str]], *, volatile: bool = False) -> Iterator[str]:
    """Yield a map from ``source`` to the variable ``name``; the first case that matches wins.

    A key is ``default``, or the text of a regular expression; ``(?i)`` at its beginning makes it ignore case. A
    volatile map is looked up anew each time, which matters where it looks at ``$uri``.
    """
    lines = [f"{key if key == 'default' else pattern(key)} {interpolate(value)};" for key, value in cases]
    yield from block(f"map {interpolate(source)} {name}", ["volatile;", *lines] if volatile else lines)


def variable(site: str, what: str) -> str:
    """Return the name of a variable of one site; site names have no underscore, so no two sites share one."""
    return f"$counterseal_{site.replace('-', '_')}_{what}"


def as_file(lines: Iterable[str]) -> bytes:
    """Return lines as the bytes of a file."""
    return ("\n".join(lines) + "\n").encode()
