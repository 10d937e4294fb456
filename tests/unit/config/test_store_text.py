"""``[store]`` is written into whatever TOML there is, or not at all."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from counterseal.config.settings import StoreSettings
from counterseal.config.store_text import with_store
from counterseal.errors import ConfigError

PATH = Path("counterseal.toml")
NEW = StoreSettings("postgresql://ca@new/ca", Path("/etc/password"))
TABLE = {"url": NEW.url, "password_file": "/etc/password"}
REST = "# mine\napi.requests_per_minute = 100  # so many\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.requests_per_minute = 100",
        "api = { requests_per_minute = 100 }\n[serve]\nnames = ['x']\n",
        "\n\n[[api.access]]\ngroup = 'a'\nrole = 'viewer'\n\n# the end\n",
    ],
)
def test_a_store_is_added_at_the_end_and_taken_away(text: str) -> None:
    """A table in front of dotted keys would swallow them."""
    written = with_store(text, PATH, NEW)
    assert tomllib.loads(written) == tomllib.loads(text) | {"store": TABLE}
    assert written.startswith(text.rstrip("\n"))
    assert with_store(written, PATH, None).rstrip("\n") == text.rstrip("\n")


@pytest.mark.parametrize(
    "form",
    [
        "store.url = 'postgresql://ca@old/ca'\n",
        "store.url = 'postgresql://ca@old/ca'\nstore.password_file = 'p'\n",
        "store = { url = 'postgresql://ca@old/ca' }\n",
        "[ store ]\nurl = 'postgresql://ca@old/ca'\n",
        "[\"store\"]\n\"url\" = '''postgresql://ca@old/ca'''\n",
        "[store]\npassword_file = 'p'\n\nurl = 'postgresql://ca@old/ca'\n\n[serve]\nnames = ['x']\n",
    ],
)
def test_a_store_is_replaced_however_it_is_written(form: str) -> None:
    """And every other line stays, comments and all."""
    text = REST + form
    others = {key: it for key, it in tomllib.loads(text).items() if key != "store"}
    for store, table in ((NEW, {"store": TABLE}), (None, {})):
        written = with_store(text, PATH, store)
        assert tomllib.loads(written) == others | table
        assert written.startswith(REST)


def test_comments_stay() -> None:
    """Those of the table, and those behind its name."""
    text = "[store] # where\n# the primary\nurl = 'postgresql://ca@old/ca'\n"
    assert with_store(text, PATH, None) == "# where\n# the primary\n"
    one = StoreSettings("postgresql://ca@new/ca")
    assert with_store(text, PATH, one) == '# where\n# the primary\n\n[store]\nurl = "postgresql://ca@new/ca"\n'


@pytest.mark.parametrize(
    "text",
    [
        '[store]\nurl = """\\\npostgresql://ca@old/ca"""\n',
        "[store]\nurl = 'postgresql://ca@old/ca'\n[serve]\nnames = ['''\n[store]\nurl = \n''']\n",
    ],
)
@pytest.mark.parametrize("store", [NEW, None])
def test_what_cannot_be_replaced_is_refused(text: str, store: StoreSettings | None) -> None:
    """The new file would be none, or mean something else; the error says how to write it."""
    with pytest.raises(ConfigError, match="not written as a table") as refused:
        with_store(text, PATH, store)
    assert refused.value.code == "store.unwritable"
