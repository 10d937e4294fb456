"""The patch is one that ``patch`` and ``git apply`` take, and shows no part of a private key."""

from __future__ import annotations

import difflib
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterseal.nginx.lint.patch import HIDDEN, hide_keys, show_patch

if TYPE_CHECKING:
    from pathlib import Path

KEY = "-----BEGIN PRIVATE KEY-----\nSECRET1\nSECRET2\nSECRET3\nSECRET4\n-----END PRIVATE KEY-----"
ON_ONE_LINE = KEY.replace("\n", "\\n")
SITE = """server {{
    listen 443 ssl;
    # before
    ssl_certificate_key "data:{key}";
    # after
    server_name a;
}}
"""
WITH_KEYS = SITE.format(key=KEY) + SITE.format(key=ON_ONE_LINE) + SITE.format(key=KEY).rstrip("\n")
CHANGES = [
    ("    # before\n", "    # before\n    ssl_verify_client on;\n"),
    ("    # after\n", "    ssl_verify_client on;\n    # after\n"),
    ("    # before\n", ""),
    ("server_name a;\n}", "server_name b;\n}"),
    ("listen 443 ssl;", "listen 8443 ssl;"),
]
TOOLS = ["patch -p1", "git apply", "git apply --unidiff-zero"]


@pytest.mark.skipif(not (shutil.which("patch") and shutil.which("git")), reason="patch or git is not installed")
@pytest.mark.parametrize("tool", TOOLS)
def test_beside_a_key_the_patch_applies_and_shows_none_of_it(tool: str, tmp_path: Path) -> None:
    """Before and behind keys of several lines and of one, and at a last line without line feed.

    ``git apply`` by itself wants a line behind a change: behind this one stands a key that is all on one line.
    """
    old, new = WITH_KEYS, WITH_KEYS
    for before, after in CHANGES if tool != "git apply" else CHANGES[1:2] + CHANGES[3:]:
        new = new.replace(before, after)
    (tmp_path / "f").write_text(old)
    patch = show_patch({"f": old}, {"f": new})
    assert "SECRET" not in patch
    assert HIDDEN not in patch
    subprocess.run(tool.split(), input=patch, text=True, cwd=tmp_path, check=True, timeout=30)
    assert (tmp_path / "f").read_text() == new


def test_a_line_with_a_key_that_changes_is_shown_without_it() -> None:
    """Then nobody can apply the patch, and nobody reads the key in it."""
    old = f'server {{ ssl_certificate_key "data:{ON_ONE_LINE}"; ssl_crl a; }}\n'
    patch = show_patch({"f": old}, {"f": old.replace("ssl_crl a; ", "")})
    assert "SECRET" not in patch
    assert patch.count(HIDDEN) == 2


def test_what_is_behind_a_hidden_key_keeps_its_column() -> None:
    """For a finding on the same line."""
    line = f"a {ON_ONE_LINE} b"
    assert hide_keys(line).index(" b") == line.index(" b")


_LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n"]), max_size=30)


@given(_LINES, _LINES, st.booleans())
def test_without_a_key_it_is_the_diff_of_the_standard_library(old: list[str], new: list[str], is_cut: bool) -> None:  # noqa: FBT001 - drawn
    """Hunk by hunk, with or without a line feed at the end."""
    if is_cut:
        old, new = ([*lines, "end"] for lines in (old, new))
    expected = "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(old, new, "a/f", "b/f")
    )
    assert show_patch({"/f": "".join(old)}, {"/f": "".join(new)}) == expected
