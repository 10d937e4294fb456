"""What ``--json`` prints is promised: keys and words may be added, none is removed, renamed or of another type."""

from __future__ import annotations

from pathlib import Path

import pytest

from architecture.source_tree import ROOT
from counterseal.cli.documents import DOCUMENTS
from json_schemas import keys_of

PROMISED = Path(__file__).parent.parent / "cases" / "json_keys.txt"


def promised() -> dict[str, set[str]]:
    """Return what stood at each place when it was promised."""
    lines = (line.partition(": ") for line in PROMISED.read_text().splitlines())
    return {place: set(what.split(" | ")) for place, _, what in lines}


def broken(then: dict[str, set[str]], now: dict[str, set[str]]) -> list[str]:
    """Return the places where a reader of the promised form is misled."""
    return [place for place, what in then.items() if place not in now or not _keeps(what, now[place])]


def _keeps(then: set[str], now: set[str]) -> bool:
    """Whether every fixed word is still there, and nothing else comes than what came: no null, no missing key."""
    words = {word for word in then if word.startswith('"')}
    return words <= now and {word for word in now if not word.startswith('"')} <= then


def test_every_promise_is_kept() -> None:
    """At every place of every document."""
    now = {place: what for command in DOCUMENTS for place, what in keys_of(command).items()}
    assert broken(promised(), now) == []


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({"a": {"object"}, "a.b": {"string"}, "a.c": {"null"}}, []),
        ({"a": {"object"}}, ["a.b"]),
        ({"a": {"object"}, "a.b": {"integer"}}, ["a.b"]),
        ({"a": {"object"}, "a.b": {"string", "null"}}, ["a.b"]),
        ({"a": {"object"}, "a.b": {"string", "missing"}}, ["a.b"]),
    ],
)
def test_a_broken_promise_is_found(now: dict[str, set[str]], expected: list[str]) -> None:
    """A key that is gone, of another type, or not always there; one that was added is none."""
    assert broken({"a": {"object"}, "a.b": {"string"}}, now) == expected


def test_a_word_may_be_added_and_none_taken_away() -> None:
    """Of those that are fixed."""
    assert broken({"a": {'"x"'}}, {"a": {'"x"', '"y"'}}) == []
    assert broken({"a": {'"x"', '"y"'}}, {"a": {'"x"'}}) == ["a"]


@pytest.mark.parametrize("command", DOCUMENTS)
def test_the_page_of_the_command_names_its_schema(command: str) -> None:
    """Where the answer is documented."""
    page = (
        ROOT
        / "docs"
        / {"listen": "handshake.md", "prove": "proof.md", "error": "errors.md"}.get(command, f"{command}.md")
    )
    assert f"schemas/{command}.json" in page.read_text()
