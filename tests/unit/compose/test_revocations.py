"""Revocation lists from a URL."""

from __future__ import annotations

import pytest

from counterseal.compose.revocations import crls_at, fetch
from counterseal.errors import FileError, InputError
from odd_servers import answering, serving
from ports import free_port


def test_where_nobody_answers_is_said_in_words() -> None:
    """And without the number that the system has for it."""
    place = f"http://127.0.0.1:{free_port()}/ca.crl"
    with pytest.raises(FileError) as caught:
        crls_at(place)
    assert caught.value.message == f"cannot fetch '{place}': connection refused"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "the connection ended before an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "what answers is not HTTP"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "the answer is 404 Not Found"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nlist", "the answer broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nlist", "the answer broke off"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", "got more than 100 headers"),
    ],
)
def test_an_answer_that_is_none_is_said_in_words(answer: bytes, reason: str) -> None:
    """Whatever answers: a server of another protocol, one that ends half way."""
    with serving(answering(answer)) as endpoint:
        place = f"http://{endpoint}/ca.crl"
        with pytest.raises(FileError) as caught:
            fetch(place)
    assert (caught.value.code, caught.value.message) == ("fetch.failed", f"cannot fetch '{place}': {reason}")


@pytest.mark.parametrize(
    ("place", "kind", "code"),
    [
        ("http://[::1/ca.crl", FileError, "fetch.failed"),
        ("http://host:9x/ca.crl", FileError, "fetch.failed"),
        ("http://a b/ca.crl", FileError, "fetch.failed"),
        ("ldap://host/cn=ca", InputError, "fetch.scheme"),
        ("file:///etc/shadow", InputError, "fetch.scheme"),
    ],
)
def test_what_is_no_url_of_the_web_is_refused(place: str, kind: type[FileError | InputError], code: str) -> None:
    """A certificate may name anything."""
    with pytest.raises(kind) as caught:
        fetch(place)
    assert caught.value.code == code
