"""A site added to the text of counterseal.toml: what is there stays, and what is new is read as it was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterseal.config.load import parse_settings
from counterseal.config.new_site import site_name_of, with_own_nginx, with_site
from counterseal.config.settings import Settings
from counterseal.errors import InputError

PATH = Path("/home/ca/counterseal.toml")
BEFORE = """\
# the panel is Ann's
[sites.panel]
server_names = ["panel.test"]   # and no other
listen = ["443"]
root = "/srv"
"""


def _read(text: str) -> Settings:
    settings = parse_settings(text.encode(), PATH)
    settings.require()
    return settings


@pytest.mark.parametrize(
    ("server_name", "name"),
    [
        ("panel.example.com", "panel"),
        ("*.Example.com", "example"),
        ("my_app.test", "my-app"),
        ("2fa.test", "site-2fa"),
        ("_.test", "site"),
        (f"{'a' * 63}.test", "a" * 40),
        (f"1{'a' * 62}.test", f"site-1{'a' * 34}"),
    ],
)
def test_a_site_is_called_by_the_first_label(server_name: str, name: str) -> None:
    """Made to fit what names of sites may be."""
    assert site_name_of(server_name) == name
    fields = {"server_names": ("x.test",), "listen": ("443",), "root": "/srv"}
    assert [one.site.name for one in _read(with_site("", Settings(), name, fields)).sites] == [name]


def test_what_is_there_stays_and_the_new_site_is_what_was_said() -> None:
    """Comments too; what needs quoting is quoted, what was not said is not written."""
    fields = {
        "server_names": ("app.test",),
        "listen": ("127.0.0.1:8443",),
        "upstream": "unix:/run/app.sock",
        "root": "",
        "client_cas": (),
    }
    text = with_site(BEFORE, _read(BEFORE), "app", fields, groups=('the "A" team',))
    assert text == BEFORE + (
        "\n[sites.app]\n"
        'server_names = ["app.test"]\n'
        'listen = ["127.0.0.1:8443"]\n'
        'upstream = "unix:/run/app.sock"\n'
        'allow = { groups = ["the \\"A\\" team"] }\n'
    )
    added = _read(text).sites[1].site
    assert (added.name, added.upstream, added.allow.groups) == ("app", "unix:/run/app.sock", ('the "A" team',))


def test_a_site_of_this_name_is_never_written_over() -> None:
    """Nor twice, which TOML would refuse."""
    with pytest.raises(InputError) as refused:
        with_site(BEFORE, _read(BEFORE), "panel", {"server_names": ("other.test",)})
    assert refused.value.code == "site.exists"


def test_the_nginx_of_the_user_is_named_once() -> None:
    """With the one include file; another nginx than the one that is named is not put in its place."""
    main = Path("/etc/nginx/nginx.conf")
    include = Path("/etc/nginx/conf.d/counterseal.conf")
    text = with_own_nginx(BEFORE, _read(BEFORE), main, include)
    nginx = _read(text).nginx
    assert (nginx.config, nginx.include_file) == (main, include)
    assert with_own_nginx(text, _read(text), main, None) == text
    assert _read(with_own_nginx(BEFORE, _read(BEFORE), main, None)).nginx.include_file is None
    dotted = 'nginx.user = "www-data"\n'
    with pytest.raises(InputError, match="names another nginx"):
        with_own_nginx(dotted, _read(dotted), main, include)
    with pytest.raises(InputError) as refused:
        with_own_nginx(text, _read(text), Path("/opt/nginx/nginx.conf"), None)
    assert refused.value.code == "config.nginx"
