"""The table ``[store]`` as text, for who has the store moved by command.

Decides that every other line stays as it is, comments too, and that nothing is written that means anything else than
before but for the store: what cannot be done so is left to a person.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from counterseal.config.toml_text import toml_string
from counterseal.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.config.settings import StoreSettings

_STORE, _KEY = r"""["']?store["']?""", r"""["']?(?:url|password_file)["']?"""
_HEADER = re.compile(rf"\s*\[\s*{_STORE}\s*\]\s*(?P<comment>#.*)?$")
_IN_TABLE = re.compile(rf"\s*(?:{_KEY}\s*=|$)")
_IN_ROOT = re.compile(rf"\s*{_STORE}\s*(?:\.\s*{_KEY}\s*=|=\s*\{{)")


def with_store(text: str, path: Path, store: StoreSettings | None) -> str:
    """Return the configuration ``text``, that of ``path``, naming the ``store`` at its end, or none.

    Raises ConfigError ``store.unwritable``.
    """
    table = _table(store) if store else {}
    rest = "".join(_without_store(text)).rstrip("\n")
    lines = [rest] if rest else []
    if table:
        lines += [*([""] if rest else []), "[store]", *(f"{key} = {toml_string(it)}" for key, it in table.items())]
    written = "\n".join([*lines, ""]) if lines else ""
    wanted = {key: it for key, it in tomllib.loads(text).items() if key != "store"} | (
        {"store": table} if table else {}
    )
    if _read(written) != wanted:
        raise ConfigError(
            "store.unwritable",
            f"the lines that name the store cannot be replaced in {path}: they are not written as a table",
            hint="have a line [store] with url = and password_file = on lines below it; then run the command again",
        )
    return written


def _table(store: StoreSettings) -> dict[str, str]:
    password = {"password_file": str(store.password_file)} if store.password_file else {}
    return {"url": store.url, **password}


def _without_store(text: str) -> Iterator[str]:
    """Yield the lines without those that name the store, whose comments stay."""
    place = "root"
    for line in text.splitlines(keepends=True):
        header = _HEADER.match(line)
        if line.lstrip().startswith("["):
            place = "store" if header else "elsewhere"
        if header:
            comment = header["comment"]
            yield f"{comment}\n" if comment else ""
        elif not ((place == "store" and _IN_TABLE.match(line)) or (place == "root" and _IN_ROOT.match(line))):
            yield line


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
