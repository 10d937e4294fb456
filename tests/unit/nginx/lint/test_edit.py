"""Edits change what they were made for, keep the rest byte for byte, and their patch is one that patch applies."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from counterseal.nginx.lint.edit import (
    Edit,
    append_word,
    apply_edits,
    choose_edits,
    insert_before,
    insert_into,
    remove,
    replace_word,
    write_arguments,
)
from counterseal.nginx.lint.level import make_level
from counterseal.nginx.lint.patch import show_patch
from counterseal.nginx.parse import parse

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.nginx.tree import Directive

TEXT = """http {
    # about the server
    server {  # one
        listen 443;
\tserver_name a; root /x;
    }
}
"""


def directives(text: str = TEXT) -> dict[str, Directive]:
    """Return the directives of the server by name."""
    return {one.name: one for one in parse(text, file="f").directives[0].directives[0].directives}


def applied(*edits: Edit, text: str = TEXT) -> str:
    """Return the text after the edits."""
    return apply_edits({"f": text}, edits).get("f", text)


def test_a_line_is_put_before_a_directive_with_its_indentation() -> None:
    """Spaces and tabs as they are there; on a shared line it goes beside."""
    found = directives()
    assert applied(insert_before(found["listen"], "a b;")) == TEXT.replace("listen", "a b;\n        listen")
    assert applied(insert_before(found["server_name"], "a b;")) == TEXT.replace("server_name", "a b;\n\tserver_name")
    assert applied(insert_before(found["root"], "a b;")) == TEXT.replace("root", "a b; root")


def test_words_are_added_replaced_and_removed() -> None:
    """A removal takes its line where nothing else stands on it, and only then."""
    found = directives()
    assert applied(append_word(found["listen"], "ssl")) == TEXT.replace("443", "443 ssl")
    assert applied(replace_word(found["listen"], 0, "8443")) == TEXT.replace("443", "8443")
    assert applied(remove(found["listen"])) == TEXT.replace("        listen 443;\n", "")
    assert applied(remove(found["root"])) == TEXT.replace("root /x;", "")


def test_a_block_is_entered_before_its_first_directive_of_the_same_file() -> None:
    """What was included from elsewhere is not touched, and an empty block gives no place."""
    http = parse(TEXT, file="f").directives[0]
    edits = insert_into(make_level(http.directives, http), "a b;")
    assert applied(*edits) == TEXT.replace("server {", "a b;\n    server {")
    assert insert_into(make_level((), http), "a b;") == ()


def test_equal_edits_count_once_and_overlapping_ones_not() -> None:
    """Two rules may want the same line; where they contradict, the first counts."""
    found = directives()
    same = insert_before(found["listen"], "a b;")
    assert applied(same, same) == TEXT.replace("listen", "a b;\n        listen")
    assert applied(remove(found["listen"]), append_word(found["listen"], "ssl")) == TEXT.replace(
        "        listen 443;\n", ""
    )


def test_what_mends_a_finding_is_taken_whole_or_not_at_all() -> None:
    """Of two fixes that contradict each other the first one; lines put in at one place are no contradiction."""
    found = directives()
    moved = remove(found["listen"]), insert_before(found["server_name"], "a b;")
    contrary = insert_before(found["root"], "c d;"), append_word(found["listen"], "ssl")
    beside = (insert_before(found["server_name"], "e f;"),)
    assert choose_edits([moved, contrary, beside, moved]) == (*moved, *beside)
    assert choose_edits([contrary, moved]) == contrary


def test_arguments_are_written_anew() -> None:
    """On one line, whatever stood there."""
    text = TEXT.replace("server_name a;", "server_name a\n    # and\n  b;")
    edit = write_arguments(directives(text)["server_name"], ["c", "d"])
    assert applied(edit, text=text) == TEXT.replace("server_name a;", "server_name c d;")


def test_a_line_goes_before_a_directive_that_is_written_anew() -> None:
    """In whatever order the two were wanted."""
    listen = directives()["listen"]
    both = write_arguments(listen, ["8443"]), insert_before(listen, "a b;")
    expected = TEXT.replace("listen 443", "a b;\n        listen 8443")
    assert applied(*both) == applied(*reversed(both)) == expected


def test_an_edit_is_not_applied_to_another_text() -> None:
    """Where the old words no longer stand, nothing is done."""
    edit = replace_word(directives()["listen"], 0, "8443")
    assert apply_edits({"f": TEXT.replace("443", "444")}, [edit]) == {}
    assert apply_edits({"other": TEXT}, [edit]) == {}


def test_line_ends_stay_as_they_are() -> None:
    """A file with CRLF gets CRLF."""
    text = TEXT.replace("\n", "\r\n")
    edit = insert_before(directives(text)["listen"], "a b;")
    assert applied(edit, text=text) == text.replace("listen", "a b;\r\n        listen")


@pytest.mark.skipif(shutil.which("patch") is None, reason="patch is not installed")
@pytest.mark.parametrize("text", [TEXT, TEXT.rstrip("\n")], ids=["line feed at the end", "none"])
def test_the_patch_applies(text: str, tmp_path: Path) -> None:
    """With ``patch -p1``, also at a last line without line feed."""
    (tmp_path / "f").write_text(text)
    found = directives(text)
    changed = apply_edits({"f": text}, [append_word(found["listen"], "ssl"), replace_word(found["root"], 0, "/y")])
    patch = show_patch({"f": text}, changed)
    subprocess.run(["patch", "-p1"], input=patch, text=True, cwd=tmp_path, check=True, timeout=10)
    assert (tmp_path / "f").read_text() == changed["f"]
