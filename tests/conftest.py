"""What holds for every test."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

LONGEST_TEMPORARY = 12
PURE = tuple(Path(__file__).parent / "unit" / room for room in ("pki", "bundles", "nginx"))
"""Where the tests of the pure rooms lie, whose branch coverage has a goal (pyproject.toml)."""

# A shell that starts a job in the background has it ignore Ctrl-C, and every program that a test starts would inherit
# that: then none could be interrupted. A handler, unlike that, does not outlive exec.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The path of a Unix socket has room for 107 octets (unix(7)), and pytest's directories and ours take most of them.
if len(tempfile.gettempdir()) > LONGEST_TEMPORARY:
    os.environ["TMPDIR"] = tempfile.tempdir = "/tmp"  # noqa: S108 - pytest makes a directory of its own below

# A busy machine is no fault of ours: how long one example takes says nothing about what it tests.
# What judges a change makes the same examples each time; new ones are looked for by ./check unit and ./check fuzz.
# The former runs many times a day, and each time others: a third as many at once are as many in the end.
EXPLORE = "COUNTERSEAL_TESTS_EXPLORE" in os.environ
settings.register_profile(
    "counterseal",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=not EXPLORE,
    max_examples=33 if EXPLORE else 100,
)
settings.load_profile("counterseal")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the quick tests of the pure rooms, before anything is chosen by its marks."""
    for item in items:
        if any(item.path.is_relative_to(room) for room in PURE) and item.get_closest_marker("slow") is None:
            item.add_marker("pure")
