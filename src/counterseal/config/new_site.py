"""A table ``[sites.NAME]`` as text, for who has a site added by command.

Decides what is written: only what was said, so that everything else stays what the defaults are. No line which is there
is changed.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from counterseal.config.toml_text import toml_string
from counterseal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from counterseal.config.settings import Settings

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_UNFIT = re.compile(r"[^a-z0-9-]+")
_LONGEST = 40


def site_name_of(server_name: str) -> str:
    """Return what a site of this server name is called: its first label, ``panel`` of ``panel.example.com``."""
    first = server_name.removeprefix("*.").partition(".")[0].lower()
    fitting = _UNFIT.sub("-", first).strip("-")[:_LONGEST]
    return fitting if fitting[:1].isalpha() else f"site-{fitting}".rstrip("-")[:_LONGEST]


def with_site(
    text: str, settings: Settings, name: str, fields: Mapping[str, Sequence[str]], *, groups: Sequence[str] = ()
) -> str:
    """Return the configuration ``text``, which means ``settings``, with one more site at its end.

    Empty ``fields`` are left out; ``groups`` become ``allow``. Raises InputError ``site.exists``.
    """
    if any(one.site.name == name for one in settings.sites):
        raise InputError(
            "site.exists",
            f"there is a site of this name already: {name!r}",
            hint=f"give another one with --name, or change [sites.{name}] in the file",
        )
    lines = [f"{key} = {_value(value)}" for key, value in fields.items() if value]
    lines += [f"allow = {{ groups = {_value(tuple(groups))} }}"] if groups else []
    return _appended(text, _table(name), lines)


def _table(name: str) -> str:
    """Return the name of a site's table; one that no site may have is quoted, and refused when it is read."""
    return f"sites.{name if _BARE.fullmatch(name) else toml_string(name)}"


def with_own_nginx(text: str, settings: Settings, main: Path, include: Path | None) -> str:
    """Return ``text`` naming the user's own nginx by its ``main`` configuration file, unchanged where it does.

    ``include`` is the file that is to make it read us, None where the user writes the line himself.

    Raises InputError ``config.nginx`` where it says something else.
    """
    if settings.nginx.config == main:
        return text
    if "nginx" in tomllib.loads(text):
        raise InputError(
            "config.nginx",
            f"the file has a table [nginx] that names another nginx than {main}",
            hint="change it there, or leave --nginx out",
        )
    lines = [f"config = {toml_string(str(main))}"]
    lines += [f"include_file = {toml_string(str(include))}"] if include else []
    return _appended(text, "nginx", lines)


def _appended(text: str, table: str, lines: Sequence[str]) -> str:
    before = text.rstrip("\n")
    return "\n".join([*([before, ""] if before else []), f"[{table}]", *lines, ""])


def _value(value: Sequence[str]) -> str:
    if isinstance(value, str):
        return toml_string(value)
    return f"[{', '.join(map(toml_string, value))}]"
