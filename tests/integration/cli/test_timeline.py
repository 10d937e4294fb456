"""``counterseal timeline`` on a CA with a few certificates, as data, as text and as a picture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from command import counterseal

if TYPE_CHECKING:
    from pathlib import Path


def test_what_expires_when(tmp_path: Path) -> None:
    """Two CAs and a root, their lists, and the certificates in the order in which they expire."""
    home, out = tmp_path / "home", str(tmp_path / "out")
    assert counterseal(home, "init", "--no-passphrase").code == 0
    for name, lifetime in (("later", "200d"), ("sooner", "20d")):
        assert counterseal(home, "client", name, "--lifetime", lifetime, "--out", out).code == 0
    assert counterseal(home, "crl").code == 0
    picture = tmp_path / "expiry.svg"
    document = json.loads(counterseal(home, "timeline", "--json", "--svg", str(picture)).stdout)
    told = [(span["kind"], span["name"]) for span in document["spans"]]
    assert told == [
        *[("ca", name) for name in ("clients", "root", "servers")],
        *[("crl", name) for name in ("clients", "root", "servers")],
        ("certificate", "sooner"),
        ("certificate", "later"),
    ]
    assert {span["state"] for span in document["spans"]} == {"fine"}
    assert document["certificates"]["total"] == 2
    assert sum(document["certificates"]["profiles"][0]["counts"]) == 2
    assert ET.fromstring(picture.read_text()).tag.endswith("svg")  # noqa: S314 - our own
    plain = counterseal(home, "timeline", "--limit", "1").stdout
    assert "sooner" in plain
    assert "later  " not in plain
    assert "━" in counterseal(home, "timeline", "--width", "100").stdout
    lost = tmp_path / "no-directory" / "expiry.svg"
    refused = counterseal(home, "timeline", "--svg", str(lost))
    assert (refused.code, refused.stdout, lost.parent.exists()) == (1, "", False)
