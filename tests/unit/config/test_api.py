"""``[api]``: who has access, and every fault of it in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.config.load import load_settings
from counterseal.errors import ConfigError
from counterseal.protocols.api.rules import Access, ApiRules, Grant, Role

if TYPE_CHECKING:
    from pathlib import Path

ACCESS = """
[api]
requests_per_minute = 60
[[api.access]]
group = "ops"
role = "operator"
profiles = ["server"]
[[api.access]]
subject = "/OU=x/CN=ann"
role = "admin"
[[api.access]]
serial_number = "01:FF"
role = "viewer"
"""


def load(tmp_path: Path, text: str) -> ApiRules | None:
    """Return the rules of a file."""
    (tmp_path / "counterseal.toml").write_text(text)
    return load_settings(tmp_path / "counterseal.toml").api


def test_grants(tmp_path: Path) -> None:
    """A subject may be written in either way, a serial number with colons."""
    rules = load(tmp_path, ACCESS)
    assert rules is not None
    assert rules.access == (
        Access(Grant(Role.OPERATOR, ("server",)), group="ops"),
        Access(Grant(Role.ADMIN), subject="CN=ann,OU=x"),
        Access(Grant(Role.VIEWER), serial_number=0x1FF),
    )
    assert rules.requests_per_minute == 60
    assert load(tmp_path, "") == ApiRules()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[api.access]]\ngroup = "ops"\nrole = "boss"', "not a role: 'boss'"),
        ('[[api.access]]\nrole = "admin"', "an access is for one of subject, group and serial_number"),
        ('[[api.access]]\ngroup = "a"\nsubject = "CN=b"\nrole = "admin"', "an access is for one of"),
        ('[[api.access]]\ngroup = "a"\nrole = "admin"\nprofiles = ["sever"]', "not a profile: 'sever'"),
        ('[[api.access]]\nserial_number = "xyz"\nrole = "admin"', "not a serial number in hexadecimal: 'xyz'"),
        ('[[api.access]]\nserial_number = "-1"\nrole = "admin"', "not a serial number in hexadecimal: '-1'"),
        ('[[api.access]]\ngruop = "a"\nrole = "admin"', "unknown key: 'gruop'"),
        ("[api]\nrequests_per_minute = -1", "requests_per_minute is negative: -1"),
    ],
)
def test_faults(tmp_path: Path, text: str, message: str) -> None:
    """Each is named with its value."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert any(message in finding.message for finding in caught.value.findings), caught.value.findings
