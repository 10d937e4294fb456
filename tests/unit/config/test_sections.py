"""A fault keeps from what needs its section, and from nothing else."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from counterseal.config.load import load_settings
from counterseal.config.settings import StoreSettings
from counterseal.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from counterseal.config.settings import Settings

CA = '[ca]\ncrl_lifetime = "3d"\n'
RIGHT = f"""\
{CA}[store]
url = "postgresql://ca@db/ca"
[sites.a]
server_names = ["a.test"]
listen = ["443"]
root = "/srv"
"""
ASKED: dict[str, Callable[[Settings], object]] = {
    "ca": lambda settings: settings.rules.crl_lifetime,
    "profiles": lambda settings: settings.rules.profiles,
    "serve": lambda settings: (settings.rules.published_at, settings.serve),
    "nginx": lambda settings: settings.nginx,
    "store": lambda settings: settings.store,
    "sites": lambda settings: settings.sites,
    "acme": lambda settings: settings.acme,
    "api": lambda settings: settings.api,
    "ocsp": lambda settings: settings.ocsp,
    "est": lambda settings: settings.est,
    "reminders": lambda settings: settings.reminders,
}


def load(tmp_path: Path, text: str) -> Settings:
    """Return the settings of a file with this text."""
    (tmp_path / "counterseal.toml").write_text(text)
    return load_settings(tmp_path / "counterseal.toml")


def refused(settings: Settings) -> set[str]:
    """Return the sections that raise."""
    raising = set(ASKED)
    for section, ask in ASKED.items():
        with suppress(ConfigError):
            ask(settings)
            raising.remove(section)
    return raising


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("", set()),
        ("[sites.b]\nhsts = 1", {"sites"}),
        ("[nginx]\nconf = 'a'", {"nginx"}),
        ("[profiles.x]\nextends = 'neither'", {"profiles"}),
        ("[serve]\nlisten = 'x'\n[acme]\nattempts = 9", {"serve", "acme"}),
        ("[site.b]\nhsts = true", {"sites"}),
        ("[something]\nelse = 1", set(ASKED) - {"store", "ca"}),
        ("[database]\nurl = 'a'", {"store"}),
        ("[sites", set(ASKED)),
    ],
)
def test_only_the_section_of_a_fault_is_refused(tmp_path: Path, text: str, sections: set[str]) -> None:
    """A section that nobody knows may be meant for any but two: those are left open by none but a near one."""
    settings = load(tmp_path, f"{RIGHT}{text}\n")
    assert refused(settings) == sections
    if "store" not in sections:
        assert settings.store == StoreSettings("postgresql://ca@db/ca")
    if "ca" not in sections:
        assert settings.rules.crl_lifetime == timedelta(days=3)


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("[ca]\ncrl_lifetime = 'soon'", set()),
        ("[monitoring]\nport = 9100", set()),
        ("[monitoring]\nx = 1\n[acme]\nattempts = 9", {"acme"}),
        ("[monitoring]\nx = 1\n[sites.b]\nhsts = 1", {"sites"}),
        ("[site.b]\nroot = '/srv'", {"sites"}),
        ("[server.b]\nroot = '/srv'", {"sites"}),
        ("[Nginx]\nunit = 'x'", {"nginx"}),
        ("[virtual-hosts.b]\nx = 1", {"sites", "nginx"}),
        ("[panel]\nserver_names = ['b.test']", {"sites", "nginx"}),
        ("[frontends.b]\nserver_names = ['b.test']", {"sites", "nginx"}),
        ("[sites", set(ASKED) - {"ca"}),
    ],
)
def test_a_revocation_waits_for_the_sites_only_where_they_may_be_meant(
    tmp_path: Path, text: str, sections: set[str]
) -> None:
    """What is passed over for it is told, and the sections that are sound are as the file has them."""
    settings = load(tmp_path, f"{RIGHT.removeprefix(CA) if '[ca]' in text else RIGHT}{text}\n")
    assert refused(settings.for_revocation()) == sections
    assert (settings.overlooked() is None) == (refused(settings) == sections)
    if "sites" not in sections:
        assert [one.site.name for one in settings.for_revocation().sites] == ["a"]


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("[sites.a]\nlisten = [443", {"store", "ca"}),
        ("[ca]\ncrl_lifetime = '3d'\n[sites.a", {"store"}),
        ("ca = { crl_lifetime = 3d }", {"store"}),
        ("[Store]\nurl = x", {"ca"}),
        ("url = postgresql://db/x", {"ca"}),
    ],
)
def test_what_is_no_toml_refuses_whatever_it_may_say(tmp_path: Path, text: str, sound: set[str]) -> None:
    """A revocation needs the store and how long lists live: what shows no trace of them cannot set them."""
    assert set(ASKED) - refused(load(tmp_path, text)) == sound


def test_a_site_with_a_fault_is_none_of_the_sound_ones(tmp_path: Path) -> None:
    """Nothing stands in for what is missing, outside of the reading itself."""
    settings = load(tmp_path, f"{RIGHT}[sites.b]\nroot = '/srv'\n[sites.c]\nroot = '/srv'\nlisten = []\n")
    assert [one.site.name for one in settings.with_sound_sites().sites] == ["a"]
    assert [one.site.name for one in settings.readable().sites] == ["a"]
    assert load(tmp_path, "[store]\nurl = 3\n").readable().store is None
