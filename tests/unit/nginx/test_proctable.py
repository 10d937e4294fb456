"""Who holds a listening socket, or a file, as the kernel says."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from counterseal.nginx.proctable import has_open_below, identity_of, listeners_on

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("listening", "reached"),
    [
        ("127.0.0.1", ("127.0.0.1",)),
        ("127.0.0.2", ("127.0.0.2",)),
        ("0.0.0.0", ("127.0.0.1", "127.0.0.2")),  # noqa: S104 - a free port of every address
        ("::1", ("::1",)),
        ("::", ("127.0.0.1", "127.0.0.2", "::1")),
    ],
)
def test_who_listens_at_an_address_is_found(listening: str, reached: tuple[str, ...]) -> None:
    """By his number; not at another address, nobody once the socket is closed, and not who is connected from it."""
    family = socket.AF_INET6 if ":" in listening else socket.AF_INET
    with socket.create_server((listening, 0), family=family, dualstack_ipv6=listening == "::") as server:
        port = server.getsockname()[1]
        for address in ("127.0.0.1", "127.0.0.2", "::1"):
            assert listeners_on(address, port) == ((os.getpid(),) if address in reached else ())
        with socket.create_connection((reached[0], port)) as client:
            assert listeners_on(reached[0], client.getsockname()[1]) == ()
    assert listeners_on(reached[0], port) == ()


def test_who_has_the_address_itself_comes_before_who_has_all() -> None:
    """As the kernel hands out connections."""
    with socket.socket() as every, socket.socket() as one:
        for bound, address in ((every, "0.0.0.0"), (one, "127.0.0.2")):  # noqa: S104 - a free port of every address
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            bound.bind((address, every.getsockname()[1] if bound is one else 0))
        one.listen()
        assert listeners_on("127.0.0.1", one.getsockname()[1]) == ()
        every.listen()
        assert listeners_on("127.0.0.2", one.getsockname()[1]) == (os.getpid(),)


def test_who_has_a_file_open_below_a_directory_is_found(tmp_path: Path) -> None:
    """Also one that was removed since; not by a directory whose name begins alike."""
    (tmp_path / "home").mkdir()
    with (tmp_path / "home" / "access.log").open("w"):
        (tmp_path / "home" / "access.log").unlink()
        assert has_open_below(os.getpid(), tmp_path / "home")
        assert not has_open_below(os.getpid(), tmp_path / "ho")
    assert not has_open_below(os.getpid(), tmp_path / "home")


def test_by_whose_rights_a_process_opens_files_is_known() -> None:
    """By ours, for one; there is no process of that last number."""
    mine = identity_of(os.getpid())
    assert mine is not None
    assert (mine.user, mine.group, sorted(mine.groups)) == (os.geteuid(), os.getegid(), sorted(os.getgroups()))
    assert identity_of(2**31 - 1) is None
