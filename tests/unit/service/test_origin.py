"""What links are made from: a stranger's Host header never enters one."""

from __future__ import annotations

import pytest

from counterseal.errors import InputError
from counterseal.service.origin import Origin
from counterseal.service.settings import Address


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("ca.example.com:8443", "https://ca.example.com:8443"),
        ("CA.example.com", "https://ca.example.com"),
        ("10.0.0.1:9443", "https://10.0.0.1:9443"),
        ("[fd00::1]:8443", "https://[fd00::1]:8443"),
        ("evil.example:8443", "https://ca.example.com:8443"),
        ("ca.example.com:8443@evil.example", "https://ca.example.com:8443"),
        ("", "https://ca.example.com:8443"),
        (None, "https://ca.example.com:8443"),
    ],
)
def test_only_own_names_are_believed(host: str | None, url: str) -> None:
    """The name and the port by which a client called are used again, others never."""
    assert Origin(("ca.example.com", "10.0.0.1", "fd00::1"), 8443).of(host) == url


def test_a_public_url_is_always_used() -> None:
    """Behind a proxy the Host header is the proxy's affair."""
    assert Origin(("a",), 1, "https://ca.example.com").of("a:1") == "https://ca.example.com"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("127.0.0.1:8443", "127.0.0.1:8443"),
        ("[::1]:0", "[::1]:0"),
        (":443", "0.0.0.0:443"),
        ("unix:/run/x.sock", "unix:/run/x.sock"),
    ],
)
def test_an_address_is_read(text: str, shown: str) -> None:
    """In the forms that nginx has too."""
    assert str(Address.parse(text)) == shown


@pytest.mark.parametrize("text", ["", "8443", "a:b", "a:99999", "a:-1", "unix:relative"])
def test_a_wrong_address_is_refused(text: str) -> None:
    """With its value."""
    with pytest.raises(InputError, match="not an address to listen on"):
        Address.parse(text)
