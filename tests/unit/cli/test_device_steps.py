"""The steps that ``--help-device`` prints, as lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterseal.bundles.device_help import DEVICES
from counterseal.cli.device_steps import steps_after
from counterseal.cli.packing import DEVICE_NAMES


def test_the_devices_of_the_option_are_those_that_have_steps() -> None:
    """In the same order."""
    assert list(DEVICE_NAMES) == list(DEVICES)


@pytest.mark.parametrize("device", list(DEVICES))
def test_the_words_of_a_command_stay_whole(device: str) -> None:
    """Wherever the lines are broken: a path that was broken at its hyphen could not be pasted."""
    for length in range(1, 60):
        name = "x" * length
        told, lines = steps_after(device, name, [Path(f"out/{name}.{DEVICES[device].export_format}")])
        assert " ".join(lines[2:]).split() == " ".join(told["steps"]).split()


@pytest.mark.parametrize(
    ("device", "options"),
    [("windows", "p12"), ("macos", "p12 --compatible"), ("ios", "mobileconfig"), ("android", "p12")],
)
def test_a_file_that_is_missing_is_made_as_the_device_needs_it(device: str, options: str) -> None:
    """By a command that can be pasted."""
    told, _ = steps_after(device, "ann", [Path("out/ann.key.pem")])
    assert told["steps"][0].endswith(f"counterseal export ann --format {options} --out out")
