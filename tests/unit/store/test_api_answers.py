"""Kept answers: of two attempts at one key only the newest can finish."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from counterseal.store.api_answers import (
    Asked,
    KeptAnswer,
    begin_answer,
    complete_answer,
    find_answer,
    forget_answers,
    give_up_answer,
)
from store_fixtures import NOW, new_store

if TYPE_CHECKING:
    from pathlib import Path

ASKED = Asked("alice", b"key", b"request")


def test_a_key_is_taken_once(tmp_path: Path) -> None:
    """A second attempt waits for the first, and finds its answer."""
    with new_store(tmp_path) as store:
        assert find_answer(store, ASKED) is None
        assert begin_answer(store, ASKED, b"1", NOW, abandoned_before=NOW - 30)
        assert not begin_answer(store, ASKED, b"2", NOW + 1, abandoned_before=NOW - 29)
        assert find_answer(store, ASKED) == KeptAnswer(b"request", NOW, None)
        assert not complete_answer(store, ASKED, b"2", b"other")
        assert complete_answer(store, ASKED, b"1", b"sealed")
        assert find_answer(store, ASKED) == KeptAnswer(b"request", NOW, b"sealed")
        assert not begin_answer(store, ASKED, b"3", NOW + 99, abandoned_before=NOW + 69)
        assert begin_answer(store, replace(ASKED, caller="bob"), b"4", NOW, abandoned_before=NOW - 30)


def test_an_abandoned_key_is_taken_over(tmp_path: Path) -> None:
    """By the same request alone; whoever was given up for dead can no longer finish, so nothing is issued twice."""
    with new_store(tmp_path) as store:
        assert begin_answer(store, ASKED, b"1", NOW, abandoned_before=NOW - 30)
        other = replace(ASKED, request_hash=b"other")
        assert not begin_answer(store, other, b"2", NOW + 31, abandoned_before=NOW + 1)
        assert begin_answer(store, ASKED, b"2", NOW + 31, abandoned_before=NOW + 1)
        assert not complete_answer(store, ASKED, b"1", b"late")
        give_up_answer(store, ASKED, b"1")
        assert complete_answer(store, ASKED, b"2", b"sealed")


def test_a_failed_attempt_frees_its_key(tmp_path: Path) -> None:
    """And an answer that was given is not taken back by it."""
    with new_store(tmp_path) as store:
        assert begin_answer(store, ASKED, b"1", NOW, abandoned_before=NOW - 30)
        give_up_answer(store, ASKED, b"1")
        assert find_answer(store, ASKED) is None
        assert begin_answer(store, ASKED, b"2", NOW, abandoned_before=NOW - 30)
        assert complete_answer(store, ASKED, b"2", b"sealed")
        give_up_answer(store, ASKED, b"2")
        assert find_answer(store, ASKED) is not None


def test_old_answers_go_in_small_steps(tmp_path: Path) -> None:
    """The oldest first, at most so many at once."""
    with new_store(tmp_path) as store:
        for number in range(5):
            asked = replace(ASKED, key_hash=bytes([number]))
            assert begin_answer(store, asked, b"1", NOW + number, abandoned_before=0)
        assert [forget_answers(store, NOW + 3, 2), forget_answers(store, NOW + 3, 2)] == [2, 1]
        assert find_answer(store, replace(ASKED, key_hash=b"\x03")) is not None
