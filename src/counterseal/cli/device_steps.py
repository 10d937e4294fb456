"""What ``--help-device`` shows: the devices there are, and the steps for one, for a certificate or for any."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from counterseal.bundles.device_help import DEVICES, steps
from counterseal.bundles.pem import file_stem
from counterseal.cli.packing import ALL_DEVICES
from counterseal.cli.terminal import text_width
from counterseal.errors import shell_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from counterseal.cli.common import Run


def show_steps(run: Run, device: str, name: str | None) -> None:
    """Show what to do on the device, with the file names of ``name`` where it is known; or which devices there are."""
    if device == ALL_DEVICES:
        width = max(map(len, DEVICES))
        lines = [f"{key:<{width}}  {one.title}" for key, one in DEVICES.items()]
        called = f"{click.get_current_context().command_path} --help-device DEVICE"
        devices = [{"device": key, "title": one.title} for key, one in DEVICES.items()]
        run.show({"devices": devices}, "\n".join([*lines, f"the steps for one of them: {called}"]))
        return
    told = _steps(device, name or "NAME")
    run.show({"device": device, "steps": told}, "\n".join(_wrapped(told)))


def steps_after(device: str, name: str, paths: Sequence[Path]) -> tuple[dict[str, Any], list[str]]:
    """Return as data and as lines what to do with the files just made; first how to make one that is not among them."""
    told, kind = _steps(device, name), DEVICES[device].export_format
    compatible = ("--compatible",) if DEVICES[device].strength is not kind.usual_strength else ()
    if f"{file_stem(name)}.{kind}" not in {path.name for path in paths}:
        words = ("counterseal", "export", name, "--format", kind, *compatible, "--out", paths[0].parent)
        told = [f"First make the file for this device: {shell_line(*words)}", *told]
    return {"device": device, "steps": told}, ["", DEVICES[device].title, *_wrapped(told)]


def _steps(device: str, name: str) -> list[str]:
    return steps(device, name).splitlines()


def _wrapped(lines: Sequence[str]) -> list[str]:
    """Return them as wide as the terminal; a word of a command stays whole, so that it can be pasted."""
    wrap = textwrap.TextWrapper(text_width(), subsequent_indent="   ", break_on_hyphens=False, break_long_words=False)
    return [wrap.fill(line) for line in lines]
