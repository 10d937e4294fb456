"""What a person types for a server."""

from __future__ import annotations

import pytest

from counterseal.cli.targets import Target, parse_target
from counterseal.errors import InputError
from counterseal.handshake.observation import Endpoint
from counterseal.handshake.trace.dial import StartTLS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("panel.example.com", Target(Endpoint("panel.example.com", 443))),
        ("panel.example.com:8443", Target(Endpoint("panel.example.com", 8443))),
        ("https://panel.example.com/admin/?a=b", Target(Endpoint("panel.example.com", 443), "/admin/?a=b")),
        ("HTTPS://panel.example.com:1/", Target(Endpoint("panel.example.com", 1))),
        ("[::1]:8443", Target(Endpoint("::1", 8443))),
        ("::1", Target(Endpoint("::1", 443))),
        ("[fe80::1%eth0]:1", Target(Endpoint("fe80::1%eth0", 1))),
        ("https://panel.example.com?a=b#here", Target(Endpoint("panel.example.com", 443), "/?a=b")),
        ("10.0.0.5:8443", Target(Endpoint("10.0.0.5", 8443))),
        ("_dmarc.bücher.example.", Target(Endpoint("_dmarc.bücher.example.", 443))),
    ],
)
def test_a_target_is_read(text: str, expected: Target) -> None:
    """Host, port and path, with 443 for a port that is not said."""
    assert parse_target(text) == expected


@pytest.mark.parametrize(
    "text", ["", "a b", "host:0", "host:65536", "host:x", "http://host", "host:1:2x", "[::1", "[::g]"]
)
def test_what_is_no_target_is_refused(text: str) -> None:
    """With the value in the message and a hint."""
    with pytest.raises(InputError) as caught:
        parse_target(text)
    assert caught.value.code == "target.syntax"
    assert caught.value.hint


@pytest.mark.parametrize("text", ["a..b", ".x", "a" * 64, f"{'a' * 64}.test", ".".join(["a" * 50] * 6), "ä..b:443"])
def test_a_name_that_cannot_be_sent_is_no_host(text: str) -> None:
    """Nothing is looked up or connected to for it."""
    with pytest.raises(InputError) as caught:
        parse_target(text)
    assert caught.value.code == "target.name"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("::1:35687", "brackets tell the port from the address: [::1]:35687"),
        ("http://panel.test:80/x", "write panel.test:80 or https://panel.test:80/PATH"),
        ("https://alice:secret@panel.test/", "write panel.test"),
    ],
)
def test_a_likely_mistake_is_answered_with_what_was_meant(text: str, hint: str) -> None:
    """A password that was typed is not repeated."""
    with pytest.raises(InputError) as caught:
        parse_target(text)
    assert caught.value.hint == hint
    assert "secret" not in caught.value.message


def test_starttls_has_ports_of_its_own() -> None:
    """In the order of their names here."""
    assert [parse_target("x", one).endpoint.port for one in StartTLS] == [25, 143, 110, 5432]
