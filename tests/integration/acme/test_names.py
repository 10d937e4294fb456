"""Names without ``resolvers``: as the files of the host say, and with name servers that stay silent."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.resolver
import pytest

from acme_dns import NameServer, name_server
from counterseal.protocols.acme.validation import resolver, system
from counterseal.protocols.acme.validation.resolver import Lookup, Resolver
from integration.acme.conftest import start_lab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from acme_client import Client
    from integration.acme.conftest import Lab

NAMES = 16
"""Of one account: more than asyncio has threads on a small machine, and more than are tried of one account at once."""

ELSEWHERE = """
import sys
from pathlib import Path
import dns.resolver
from counterseal.protocols.acme.validation import system
system.HOSTS, system.RESOLV_CONF = Path("{hosts}"), Path("{resolv_conf}")
reset = dns.resolver.BaseResolver.reset
def elsewhere(self):
    reset(self)
    self.port = {port}
dns.resolver.BaseResolver.reset = elsewhere
from counterseal.cli.run import run
sys.exit(run(sys.argv[1:]))
"""
"""The service, but that the two files are others, and name servers listen on another port."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """Return a name server that the host's files, of this test, name."""
    with name_server() as server:
        monkeypatch.setattr(dns.resolver.BaseResolver, "reset", reset_to(int(server.address.split(":")[1])))
        monkeypatch.setattr(system, "HOSTS", tmp_path / "hosts")
        monkeypatch.setattr(system, "RESOLV_CONF", tmp_path / "resolv.conf")
        (tmp_path / "resolv.conf").write_bytes(b"# \xe9\nsearch corp.test\nnameserver 127.0.0.1\n")
        yield server


def reset_to(port: int) -> object:
    """Return what gives a resolver this port of name servers."""
    original = dns.resolver.BaseResolver.reset

    def reset(self: dns.resolver.BaseResolver) -> None:
        original(self)
        self.port = port

    return reset


def looked_up(names: Resolver, name: str) -> list[str]:
    """Return the addresses of a name."""
    return [str(one) for one in asyncio.run(names.addresses(name))]


def test_the_hosts_file_comes_first_and_is_read_again_when_it_changes(tmp_path: Path, server: NameServer) -> None:
    """However the name is written; nobody is asked for it. Without the file all names are the servers'."""
    names = Resolver()
    assert looked_up(names, "a.test") == ["127.0.0.1"]
    (tmp_path / "hosts").write_text(
        "192.0.2.7\tA.test b.test # c.test\n2001:db8::7 a.test\nnonsense a.test\nfe80::1%lo a.test\n"
    )
    asked = len(server.asked)
    assert looked_up(names, "a.test") == looked_up(names, "A.test.") == ["2001:db8::7", "192.0.2.7"]
    assert looked_up(names, "b.test") == ["192.0.2.7"]
    assert len(server.asked) == asked
    assert looked_up(names, "c.test") == ["127.0.0.1"]
    (tmp_path / "new").write_text("192.0.2.8 a.test\n")
    (tmp_path / "new").replace(tmp_path / "hosts")
    assert looked_up(names, "a.test") == ["192.0.2.8"]


def test_the_name_servers_are_those_that_the_file_names_now(tmp_path: Path, server: NameServer) -> None:
    """It changes with the network, under a service that runs for years; nothing is appended to a name."""
    names = Resolver()
    server.default = None
    with pytest.raises(Lookup, match=r"^host has no address$"):
        looked_up(names, "host")
    assert {name for name, _ in server.asked} == {"host"}
    (tmp_path / "resolv.conf").write_text("nameserver 10.0.0\n")
    with pytest.raises(Lookup, match=r"^AAAA of host cannot be asked: ValueError$"):
        looked_up(names, "host")
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    server.default = "192.0.2.9"
    assert looked_up(names, "host") == ["192.0.2.9"]


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "# nameserver 192.0.2.1\nnameserver\noptions timeout:1\n",
        f"search ok.test {'a' * 64}.test\nnameserver 127.0.0.1\n",
        "domain corp..test\nsearch .corp.test\tx\n",
    ],
    ids=["none", "empty", "no server", "long label", "empty labels"],
)
def test_what_the_system_makes_do_with(tmp_path: Path, server: NameServer, content: str | None) -> None:
    """Without a server it asks this host; what would be appended to names may be wrong, and is for none of ours."""
    if content is None:
        (tmp_path / "resolv.conf").unlink()
    else:
        (tmp_path / "resolv.conf").write_text(content)
    server.default = "192.0.2.9"
    assert looked_up(Resolver(), "host") == ["192.0.2.9"]


def test_one_kind_of_address_is_enough(server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some servers never answer about IPv6; and where a host has many of these, its IPv4 address is tried too."""
    server.records["six.test", "AAAA"] = [f"2001:db8::{number}" for number in range(1, 10)]
    found = looked_up(Resolver(), "six.test")
    assert [ip_address(one).version for one in found] == [6, 4, 6, 6, 6, 6, 6, 6]
    monkeypatch.setattr(resolver, "SECONDS", 0.3)
    server.silent = lambda _, kind: kind == "AAAA"
    assert looked_up(Resolver(), "six.test") == ["127.0.0.1"]
    server.silent = lambda _, __: True
    with pytest.raises(Lookup, match=r"^AAAA of six.test cannot be asked: LifetimeTimeout$"):
        looked_up(Resolver(), "six.test")


def test_names_that_are_not_answered_hold_up_neither_others_nor_the_stop(tmp_path: Path) -> None:
    """One account's, whose name server is silent: another account's are validated, and SIGTERM ends the service."""
    with ExitStack() as stack:
        files = {"hosts": tmp_path / "hosts", "resolv_conf": tmp_path / "resolv.conf"}
        files["hosts"].write_text("127.0.0.1 hosts.example.com\n")
        files["resolv_conf"].write_text("nameserver 127.0.0.1\n")
        mute = stack.enter_context(name_server())
        mute.silent = lambda name, _: name.endswith("silent.example.com")
        program = ELSEWHERE.format(port=mute.address.split(":")[1], **files)
        lab = start_lab(stack, tmp_path / "home", program=("-c", program), resolvers="")
        stuck, honest = lab.client(), lab.client()
        order = stuck.order(*(f"{number}.silent.example.com" for number in range(NAMES)))
        for index in range(NAMES):
            challenge, _ = stuck.challenge(order, "http-01", index)
            assert stuck.post(challenge["url"], {}).json["status"] == "processing"
        for name in ("good.example.com", "hosts.example.com"):
            prove(lab, honest, name)
        assert ("hosts.example.com", "A") not in mute.asked
        assert stuck.post(order.headers["location"]).json["status"] == "pending", "they were not waited for any more"
        stuck.close()
        honest.close()
        assert lab.service.stop() == 0


def prove(lab: Lab, client: Client, name: str) -> None:
    """Prove a name by http-01, at the first attempt."""
    order = client.order(name)
    challenge, proof = client.challenge(order, "http-01")
    lab.web.put(challenge["token"], proof)
    client.post(challenge["url"], {})
    client.wait(order.headers["location"], "ready", "invalid")
    assert client.post(order.headers["location"]).json["status"] == "ready"
