"""Who holds a listening socket, as the kernel says."""

from __future__ import annotations

import os
import socket

import pytest

from counterseal.nginx.proctable import listeners_on


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_who_listens_on_a_port_is_found(family: socket.AddressFamily) -> None:
    """By his number; nobody once the socket is closed, and not who is connected from it."""
    with socket.create_server(("", 0), family=family) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("localhost" if family == socket.AF_INET else "::1", port)) as client:
            assert listeners_on(port) == (os.getpid(),)
            assert listeners_on(client.getsockname()[1]) == ()
    assert listeners_on(port) == ()
