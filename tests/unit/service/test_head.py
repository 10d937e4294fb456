"""Which heads of a request are answered at all."""

from __future__ import annotations

import pytest

from counterseal.service.head import CODED, HEAD_LIMIT, fault_of_head

HOST = (b"host", b"ca.test:8443")


@pytest.mark.parametrize(
    ("version", "headers", "fault"),
    [
        ("1.1", [HOST], None),
        ("1.1", [(b"host", b"")], None),
        ("1.1", [(b"host", b"[2001:db8::1]:443")], None),
        ("1.0", [], None),
        ("1.1", [], "No Host headers."),
        ("1.1", [HOST, HOST], "2 Host headers."),
        ("1.0", [HOST, HOST], "2 Host headers."),
        ("1.1", [(b"host", b"ca.test/path")], "Host is not a host."),
        ("1.0", [(b"host", b"ca.test evil")], "Host is not a host."),
        ("1.1", [(b"host", b"user@ca.test")], "Host is not a host."),
        ("1.1", [(b"host", b"ca.test\n")], "Host is not a host."),
        ("1.1", [HOST, (b"transfer-encoding", b"Chunked")], None),
        ("1.1", [HOST, (b"transfer-encoding", b"gzip, chunked")], CODED),
        ("1.1", [HOST, (b"transfer-encoding", b"gzip"), (b"transfer-encoding", b"chunked")], CODED),
        ("0.9", [HOST], "HTTP version is not 1.0 or 1.1."),
        ("2.0", [HOST], "HTTP version is not 1.0 or 1.1."),
    ],
)
def test_a_request_has_one_host_and_a_version_we_speak(
    version: str, headers: list[tuple[bytes, bytes]], fault: str | None
) -> None:
    """RFC 9112 3.2: who reads another Host than a proxy before us sees another site."""
    assert fault_of_head(version, b"/", headers) == fault


@pytest.mark.parametrize(("more", "fault"), [(0, None), (1, "Request head is too large.")])
def test_a_head_has_a_limit(more: int, fault: str | None) -> None:
    """Target, names and values together."""
    taken = len(b"/" + b"".join(HOST)) + len(b"x")
    headers = [HOST, (b"x", b"a" * (HEAD_LIMIT - taken + more))]
    assert fault_of_head("1.1", b"/", headers) == fault
