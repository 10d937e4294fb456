"""The steps on each device, and the guide that tells the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from counterseal.bundles.device_help import DEVICES, steps
from counterseal.errors import InputError

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "colleague.md"


@pytest.mark.parametrize("device", list(DEVICES))
def test_the_steps_name_the_files_that_are_handed_out(device: str) -> None:
    """The file for the device appears under its real name, and no placeholder stays."""
    text = steps(device, "*.example.com")
    assert f"_wildcard.example.com.{DEVICES[device].export_format}" in text
    assert "NAME" not in text
    assert re.findall(r"^(\d)\. ", text, re.MULTILINE) == [str(n) for n in range(1, len(DEVICES[device].steps) + 3)]


def test_an_unknown_device_is_told_what_there_is() -> None:
    """All devices are in the hint."""
    with pytest.raises(InputError, match="'amiga'") as caught:
        steps("amiga", "client.device")
    assert caught.value.code == "bundle.device"
    assert all(device in (caught.value.hint or "") for device in DEVICES)


def test_the_guide_has_the_same_devices_in_the_same_order() -> None:
    """A heading each, between the introduction and the causes."""
    headings = re.findall(r"^## (.+)$", GUIDE.read_text(), re.MULTILINE)
    titles = [help_text.title for help_text in DEVICES.values()]
    assert headings[-len(titles) - 1 : -1] == titles


@pytest.mark.parametrize("device", list(DEVICES))
def test_the_guide_has_the_same_steps(device: str) -> None:
    """Word for word under the device's heading, NAME standing for the file's own."""
    section = GUIDE.read_text().split(f"## {DEVICES[device].title}\n")[1].split("\n## ")[0]
    assert steps(device, "NAME") in section
