"""The prover as upstream: what counts as leaked, and whose socket it takes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import FileError
from counterseal.handshake.upstream import ProofUpstream, forged_headers

if TYPE_CHECKING:
    from pathlib import Path

NONCE = "5e1f"


def ask(path: Path, *lines: str) -> bytes:
    """Send one request to the socket and return the whole answer."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall("\r\n".join(["GET / HTTP/1.0", *lines, "", ""]).encode())
        return b"".join(iter(lambda: client.recv(4096), b""))


def test_headers_with_the_forged_value_are_named(tmp_path: Path) -> None:
    """Under whatever name they arrive; headers that nginx set itself are none."""
    with ProofUpstream(tmp_path / "s") as upstream:
        answer = ask(
            tmp_path / "s", f"x-counterseal-probe: {NONCE}", "X-SSL-Client-Verify: NONE", f"X_Other: forged-{NONCE}"
        )
        assert upstream.leaked(NONCE) == ("X_Other",)
    assert answer.startswith(b"HTTP/1.1 200 OK")


def test_all_forged_headers_are_found_when_nothing_is_cleared(tmp_path: Path) -> None:
    """The prover finds each header that it sends."""
    with ProofUpstream(tmp_path / "s") as upstream:
        sent = [f"{name}: {value}" for name, value in forged_headers(NONCE)]
        ask(tmp_path / "s", *sent)
        assert len(upstream.leaked(NONCE) or ()) == len(sent) - 1


def test_a_request_of_another_run_does_not_count(tmp_path: Path) -> None:
    """Without the nonce of this run nothing arrived."""
    with ProofUpstream(tmp_path / "s") as upstream:
        ask(tmp_path / "s", "X-Counterseal-Probe: other", f"X: forged-{NONCE}")
        assert upstream.leaked(NONCE) is None


def test_a_socket_left_behind_is_taken_over(tmp_path: Path) -> None:
    """A proof that was killed does not lock out the next one, and the socket is gone at the end."""
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "s"))
    left.close()
    with ProofUpstream(tmp_path / "s") as upstream:
        ask(tmp_path / "s", f"X-Counterseal-Probe: {NONCE}")
        assert upstream.leaked(NONCE) == ()
    assert not (tmp_path / "s").exists()


def test_a_socket_in_use_is_left_alone(tmp_path: Path) -> None:
    """Two proofs at once: the second one says so."""
    with ProofUpstream(tmp_path / "s"), pytest.raises(FileError, match="another proof listens there"):
        ProofUpstream(tmp_path / "s").__enter__()


def test_another_file_is_never_removed(tmp_path: Path) -> None:
    """Only sockets are taken over."""
    (tmp_path / "s").write_text("precious")
    with pytest.raises(FileError, match="not a socket"):
        ProofUpstream(tmp_path / "s").__enter__()
    assert (tmp_path / "s").read_text() == "precious"


def test_a_path_too_long_for_a_socket_is_an_error_of_ours(tmp_path: Path) -> None:
    """A Unix socket has room for 108 octets."""
    with pytest.raises(FileError, match="cannot listen on"):
        ProofUpstream(tmp_path / ("s" * 150)).__enter__()
