"""The mistakes that people make in counterseal.toml: each is told with key, line and value, and what mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.config.load import load_settings
from counterseal.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.config.settings import Settings

SITE = """\
[sites.panel]
server_names = ["panel.test"]
listen = ["443"]
upstream = "127.0.0.1:8000"
"""


def load(tmp_path: Path, text: str) -> Settings:
    """Return the settings of a file with this text."""
    (tmp_path / "counterseal.toml").write_text(text)
    return load_settings(tmp_path / "counterseal.toml")


def faults_of(tmp_path: Path, text: str) -> list[str]:
    """Return every fault as ``line where: message (hint)``."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text).require()
    return [f"{one.line} {one.where}: {one.message} ({one.hint})" for one in caught.value.findings]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("redirect_from = 80", '5 sites.panel.redirect_from: must be a list: 80 (write redirect_from = ["80"])'),
        ("resolver = 'a'", '5 sites.panel.resolver: must be a list: "a" (write resolver = ["a"])'),
        ('client_certificates = "on"', "not a value for client_certificates: 'on' (did you mean 'required'?"),
        ('client_certificates = "optional_no_ca"', "(did you mean 'optional'? choose one of none, optional, required)"),
        ("client_certificates = true", "must be text in quotes: true (write the word that is meant, in quotes)"),
        ('client_cas = "staff"', '5 sites.panel.client_cas: must be a list: "staff" (write client_cas = ["staff"])'),
        ('hsts = "on"', '5 sites.panel.hsts: must be true or false: "on" (write hsts = true)'),
        ("hsts = 0", "must be true or false: 0 (write hsts = false)"),
        ('resolver = [10, "b"]', '5 sites.panel.resolver: must be a list: [10, "b"] (write resolver = ["10", "b"])'),
        ('certificate = ["a.pem"]', 'must be text in quotes: ["a.pem"] (write certificate = "a.pem")'),
        ('allow = ["ops"]', '5 sites.panel.allow: must be a table: ["ops"] (its keys are: subjects, groups'),
        ('locations = "/admin"', 'must be a list: "/admin" (write [[sites.panel.locations]] for each, with: path'),
        ("allow = { group = ['a'] }", "5 sites.panel.allow.group: unknown key: 'group' (did you mean 'groups'?)"),
        ("allow = { groups = [] }", "5 sites.panel.allow: allow names nobody (name somebody; without"),
        ("allow = {}", "5 sites.panel.allow: allow names nobody ("),
        ("[[sites.panel.locations]]\npath = '/a'\nallow.subjects = []", "sites.panel.locations[0].allow: allow n"),
        ("client_cas = []", "5 sites.panel.client_cas: no client CA admitted (name at least one"),
        ("[profiles.ocsp]\nextends = 'client'", "profiles.ocsp: not a name for a profile of yours"),
        ("[profiles.ca]\nextends = 'client'", "profiles.ca: not a name for a profile of yours"),
        ("[profiles.client-probe]\nextends = 'client'", "profiles.client-probe: not a name for a profile of yours"),
        ("[profiles.server]\nextends = 'client'", "profiles.server: profile 'server' extends 'client' (give"),
        ("[profiles.a]\nextends = 'server'\npermitted_domains = []", "profiles.a: permitted_domains names no domain"),
        ('server_name = ["a.test"]', "5 sites.panel.server_name: unknown key: 'server_name' (did you mean 'server_"),
        ('ssl_verify_client = "none"', "unknown key: 'ssl_verify_client' (did you mean 'client_certificates'?)"),
        ('ssl_protocols = "modern"', "5 sites.panel.ssl_protocols: unknown key: 'ssl_protocols' (did you mean 'tls'?)"),
        ('Client-CAs = ["staff"]', "unknown key: 'Client-CAs' (did you mean 'client_cas'?)"),
        ('colour = "red"', "unknown key: 'colour' (known are server_names, listen, kind,"),
        ("tls = 1.3", '5 sites.panel.tls: must be text in quotes: 1.3 (write tls = "1.3")'),
        ('tls = "TLSv1.3"', "5 sites.panel.tls: not a value for tls: 'TLSv1.3' (did you mean 'modern'? choose one of"),
        ('allow.serial_numbers = ["01", "xyz"]', "5 sites.panel.allow.serial_numbers: not a serial number in hex"),
        ("[[sites.panel.locations]]\npath = 7", "6 sites.panel.locations[0].path: must be text in quotes: 7 ("),
        ('[[sites.panel.locations]]\nroot = "/srv"', "5 sites.panel.locations[0].path: path is missing (write path ="),
        (
            '[[sites.panel.locations]]\npath = "/a"\n[[sites.panel.locations]]\npath = "b"',
            "8 sites.panel.locations[1].path: not a plain path: 'b' (write \"/b\")",
        ),
        ("[sites.b]\nkind = 'tcp'\nlisten = ['1']\nserver_names = ['a.test']\nupstream = 'a:1'", "6 sites.b.kind: "),
        ("[sites.panel.test]\nroot = '/srv'", "5 sites.panel.test: unknown key: 'test' ([sites.panel.test] is"),
        ("[sites.Panel]\nlisten = ['80']\nserver_names = ['a.test']\nroot = '/srv'", "5 sites.Panel: not a site name"),
        ("[sites.b]\nlisten = ['1']\nroot = '/srv'", "5 sites.b.server_names: server_names is missing (write server_n"),
        ("[acme]\nattempts = 9", "6 acme.attempts: must be a number from 1 to 3: 9"),
        ("[nginx]\nworker_shutdown_timeout = 30", 'must be text in quotes: 30 (write worker_shutdown_timeout = "30")'),
        ("[nginx]\nworker_shutdown_timeout = '30 sec'", "not a length of time: '30 sec' (write a number and a unit"),
        ("[ca]\ncrl_refresh = '6d'", "6 ca.crl_refresh: more than half of crl_lifetime (7d): 6d (make it at most half"),
        ("[reminders.mail]\nport = 25", '5 reminders.mail.to: to is missing (write to = ["admin@example.com"])'),
        ("[store]\npassword_file = 'a'", '5 store.url: url is missing (write url = "postgresql://'),
        ("[ngnix]\nuser = 'a'", "5 ngnix: unknown key: 'ngnix' (did you mean 'nginx'?)"),
        ("[database]\nurl = 'a'", "5 database: unknown key: 'database' (did you mean 'store'?)"),
    ],
)  # fmt: skip
def test_a_mistake_is_told(tmp_path: Path, text: str, told: str) -> None:
    """It is the only one, so it is told once, and nothing that follows from it."""
    (fault,) = faults_of(tmp_path, f"{SITE}{text}\n")
    assert told in fault


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sites = 3", "1 sites: must be a table of tables (write [sites.NAME] for each)"),
        ('[[sites]]\nserver_names = ["a.test"]', "1 sites: must be a table of tables (write [sites.NAME] for each)"),
        ('[sites]\nroot = "/srv"', '2 sites.root: must be a table: "/srv" (write its keys below [sites.root]: server'),
        ("serve = true", "1 serve: must be a table: true (write its keys below [serve]: listen, names"),
        ("[store]\nurl = ['postgresql://ca:pw@db/ca']", "2 store.url: must be text in quotes: ... ("),
    ],
)
def test_what_is_no_table(tmp_path: Path, text: str, told: str) -> None:
    """As a list of sites would be in other programs."""
    (fault,) = faults_of(tmp_path, text)
    assert fault.startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'server_names = ["Panel.test"]\nlisten = ["443"]\nroot = "/srv"',
            "6 sites.b.server_names: server name of two sites on *:443: panel.test, of panel and b",
        ),
        (
            'server_names = ["b.test"]\nlisten = ["1"]\nredirect_from = ["443"]\nroot = "/srv"',
            "8 sites.b.redirect_from: socket speaks TLS for one site and plain HTTP for another: *:443, of panel",
        ),
        (
            'kind = "stream"\nserver_names = ["b.test"]\nlisten = ["443"]\nupstream = "b:1"',
            "8 sites.b.listen: socket of stream site b is another site's too: *:443, of panel",
        ),
    ],
)
def test_what_two_sites_cannot_both_have(tmp_path: Path, text: str, told: str) -> None:
    """Which two they are is said, at the later one."""
    (fault,) = faults_of(tmp_path, f"{SITE}[sites.b]\n{text}\n")
    assert fault.startswith(told)


def test_a_key_by_another_name_is_read_all_the_same(tmp_path: Path) -> None:
    """So that what is wrong with the value comes up in the same run, and the right key is not said to be missing."""
    text = '[sites.a]\nnames = ["a.test"]\nport = ["443"]\nproxy_pass = "http://app"\n'
    assert [fault.partition(" (")[0] for fault in faults_of(tmp_path, text)] == [
        "1 sites.a.upstream: not an upstream: 'http://app'",
        "2 sites.a.names: unknown key: 'names'",
        "3 sites.a.port: unknown key: 'port'",
        "4 sites.a.proxy_pass: unknown key: 'proxy_pass'",
    ]


def test_every_value_of_a_section_is_looked_at(tmp_path: Path) -> None:
    """Also where the sections of the service look at what values say."""
    text = """\
[serve]
listen = "8443"
public_url = "ca.test"
http_url = "pki.test"
names = ["a b"]
certificate = "a.pem"
[acme]
challenges = ["http", "dns-01"]
allow_networks = ["10.0.0.1/8"]
http_port = 99999
orders_per_hour = -1
[ocsp]
lifetime = "100d"
cached = "soon"
nonces = "no"
[api]
requests_per_minute = -1
[[api.access]]
role = "boss"
group = "a"
[[api.access]]
role = "viewer"
[reminders]
before = ["often"]
[reminders.webhook]
url = "hooks.test"
secret_file = "a"
[reminders.mail]
to = ["admin"]
[est]
renew_after_expiry = "7"
requests_per_minute = -2
"""
    assert [fault.partition(":")[0] for fault in faults_of(tmp_path, text)] == [
        "2 serve.listen",
        "3 serve.public_url",
        "4 serve.http_url",
        "5 serve.names",
        "6 serve.certificate",
        "8 acme.challenges",
        "9 acme.allow_networks",
        "10 acme.http_port",
        "11 acme.orders_per_hour",
        "13 ocsp.lifetime",
        "14 ocsp.cached",
        "15 ocsp.nonces",
        "17 api.requests_per_minute",
        "18 api.access[0]",
        "21 api.access[1]",
        "24 reminders.before",
        "26 reminders.webhook.url",
        "28 reminders.mail",
        "31 est.renew_after_expiry",
        "32 est.requests_per_minute",
    ]


def test_all_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Over several sites and sections, whatever stage of reading finds them."""
    other = SITE.replace("panel", "b")
    text = f'[ngnix]\n{SITE}tsl = "modern"\n{other}listen_on = []\nhsts = 1\nadmit = "all"\n[ca]\nx = 1\n'
    assert [fault.partition(":")[0] for fault in faults_of(tmp_path, text)] == [
        "1 ngnix",
        "6 sites.panel.tsl",
        "11 sites.b.listen_on",
        "12 sites.b.hsts",
        "13 sites.b.admit",
        "15 ca.x",
    ]


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("[sites.a]\nlisten = [443", None, "a list ends with ]"),
        ("[sites.a]\nupstream = 127.0.0.1:8000", 2, 'text stands in quotes: upstream = "..."'),
        ("[sites.a]\nserver_names = [a.test]", 2, "text stands in quotes: server_names"),
        ("[sites.a]\nroot = /srv", 2, "text stands in quotes: root"),
        ('[sites.a]\nroot = "/srv\nhsts = true', 2, "text ends with a quote on its line"),
        ("[sites.a]\n[sites.a]", 2, "a table stands in the file once"),
        ("[sites.a]\nroot = 'a'\nroot = 'b'", 3, "a key stands in its table once"),
        ("[sites.a]\nallow = { groups = ['a']", 2, "a table in one line ends with }"),
        ("[sites.a]\nserver_name panel.test;", 2, "a line is KEY = VALUE, or [TABLE] alone"),
    ],
)
def test_what_is_no_toml(tmp_path: Path, text: str, line: int | None, hint: str) -> None:
    """The parser's own words with the line, and what is the matter most often; never the text of the line."""
    with pytest.raises(ConfigError) as caught:
        _ = load(tmp_path, f"{text}\n").sites
    assert caught.value.code == "config.syntax"
    assert line is None or f"(at line {line}, " in caught.value.message
    assert hint in str(caught.value.hint)
