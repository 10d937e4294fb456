"""What opens a server's first flight in TLS 1.3; that it opens what real servers send is shown beside them."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from counterseal.errors import InputError
from counterseal.handshake.wire.hello import client_hello
from counterseal.handshake.wire.opening import Opener, client_hello13
from counterseal.handshake.wire.reader import Reader, vector

KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
HELLO = client_hello13("panel.test", bytes(32), KEY.public_key().public_bytes_raw())
X25519, TLS13 = 0x001D, 0x0304


def answer(*, version: int = TLS13, suite: int = 0x1301, group: int = X25519, public: bytes = b"\x09" * 32) -> bytes:
    """Return a ServerHello with its header."""
    share = group.to_bytes(2, "big") + vector(public, 2)
    extensions = b"\x00\x2b\x00\x02" + version.to_bytes(2, "big") + b"\x00\x33" + vector(share, 2)
    body = b"\x03\x03" + bytes(32) + b"\x00" + suite.to_bytes(2, "big") + b"\x00" + vector(extensions, 2)
    return b"\x02" + vector(body, 3)


def test_the_client_hello_is_one() -> None:
    """Read by our own reader: the name, one version, one group with its share, and the request."""
    read = client_hello(Reader(HELLO[4:]))
    assert (read.server_name, read.versions, read.groups, read.key_shares) == (
        "panel.test", (TLS13,), (X25519,), (X25519,),
    )  # fmt: skip
    assert read.extensions[-1] == 5  # status_request
    nameless = client_hello(Reader(client_hello13(None, bytes(32), bytes(32))[4:]))
    assert 0 not in nameless.extensions


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 0x0303},
        {"suite": 0x1304},
        {"group": 0x0017},
        {"public": b"\x09" * 31},
        {"public": bytes(32)},
    ],
)
def test_what_was_not_offered_is_refused(wrong: dict[str, int | bytes]) -> None:
    """A version, a suite or a group that was not offered, and a share that is no point (RFC 7748 6.1)."""
    with pytest.raises(InputError):
        Opener(HELLO, answer(**wrong), KEY)  # type: ignore[arg-type] # a field of each kind


@given(octets=st.binary(max_size=200))
def test_any_octets_are_refused(octets: bytes) -> None:
    """As an answer, and as a record under its keys."""
    with pytest.raises(InputError):
        Opener(HELLO, b"\x02" + vector(octets, 3), KEY)
    opener = Opener(HELLO, answer(), KEY)
    with pytest.raises(InputError):
        opener.open(b"\x17\x03\x03\x00\x00", octets)
