"""A site that requires a certificate, as deployed beside the clients of a home, and whom nginx lets in to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.attempt import attempt
from counterseal.handshake.observation import STATUS_PATH, Attempt, Endpoint, ProbeIdentity

if TYPE_CHECKING:
    from pathlib import Path

SITE = """\
[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{port}"]
root = "/srv"
"""


def meets(home: Path, port: int, name: str, *, path: str = STATUS_PATH) -> int | None:
    """Return the status that somebody's certificate, issued into ``out`` beside the home, is answered with."""
    out = home.parent / "out"
    identity = ProbeIdentity(name, (out / f"{name}.fullchain.pem").read_bytes(), (out / f"{name}.key.pem").read_bytes())
    return attempt(Attempt(Endpoint("127.0.0.1", port), "panel.test", "panel.test", path, identity=identity)).status
