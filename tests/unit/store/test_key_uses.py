"""The chain finds whatever is done to one of its entries."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterseal.errors import InputError
from counterseal.store.key_uses import chain, find_faults, parse_head, show_head
from counterseal.store.records import GENESIS_HASH, KeyUse, LogHead, NewKeyUse

EMPTY = LogHead(0, GENESIS_HASH)
NEW = st.builds(
    NewKeyUse,
    at=st.integers(0, 1 << 40),
    actor=st.text(max_size=3),
    action=st.text(max_size=3),
    ca=st.text(max_size=3),
    serial_number=st.none() | st.integers(0, 300),
    digest=st.binary(max_size=3),
)
FIELDS = KeyUse._fields


def build(new: list[NewKeyUse]) -> tuple[list[KeyUse], LogHead]:
    """Return the log that these uses make, and its head."""
    uses: list[KeyUse] = []
    head = EMPTY
    for one in new:
        uses.append(chain(head, one))
        head = LogHead(uses[-1].sequence, uses[-1].hash)
    return uses, head


def codes(uses: list[KeyUse], head: LogHead, anchor: LogHead | None = None) -> list[str]:
    """Return what is found."""
    return [finding.code for finding in find_faults(uses, head, anchor)]


@given(st.lists(NEW, max_size=6))
def test_an_untouched_log_has_no_fault(new: list[NewKeyUse]) -> None:
    """And every head it ever had is an anchor of it."""
    uses, head = build(new)
    assert codes(uses, head, EMPTY) == []
    for use in uses:
        assert codes(uses, head, LogHead(use.sequence, use.hash)) == []


@given(st.lists(NEW, min_size=1, max_size=6), st.data())
def test_any_change_of_any_field_is_found(new: list[NewKeyUse], data: st.DataObject) -> None:
    """Whatever the field and whatever the new value."""
    uses, head = build(new)
    place = data.draw(st.integers(0, len(uses) - 1))
    name = data.draw(st.sampled_from(FIELDS))
    value: Any = getattr(uses[place], name)
    kind: st.SearchStrategy[Any] = (
        st.integers(0, 1 << 60) if isinstance(value, int) or value is None else st.binary(max_size=32)
    )
    kind = st.text(max_size=4) if isinstance(value, str) else kind
    changes: dict[str, Any] = {name: data.draw(kind.filter(lambda other: other != value))}
    uses[place] = uses[place]._replace(**changes)
    assert codes(uses, head) != []


@given(st.lists(NEW, min_size=1, max_size=6), st.data())
def test_any_missing_entry_is_found(new: list[NewKeyUse], data: st.DataObject) -> None:
    """At the beginning, in the middle, at the end."""
    uses, head = build(new)
    del uses[data.draw(st.integers(0, len(uses) - 1))]
    assert codes(uses, head) != []


@given(st.lists(NEW, min_size=2, max_size=6, unique=True), st.data())
def test_changed_order_is_found(new: list[NewKeyUse], data: st.DataObject) -> None:
    """Two entries that trade places, with their numbers or without."""
    uses, head = build(new)
    one = data.draw(st.integers(0, len(uses) - 2))
    other = data.draw(st.integers(one + 1, len(uses) - 1))
    first, second = uses[one], uses[other]
    uses[one], uses[other] = second, first
    assert codes(uses, head) != []
    uses[one], uses[other] = second._replace(sequence=first.sequence), first._replace(sequence=second.sequence)
    assert codes(uses, head) != []


@given(st.lists(NEW, min_size=1, max_size=6), NEW, st.data())
def test_an_entry_slipped_in_is_found(new: list[NewKeyUse], more: NewKeyUse, data: st.DataObject) -> None:
    """Also one whose own hash is right."""
    uses, head = build(new)
    place = data.draw(st.integers(0, len(uses)))
    before = LogHead(uses[place - 1].sequence, uses[place - 1].hash) if place else EMPTY
    uses.insert(place, chain(before, more))
    assert codes(uses, head) != []


@given(st.lists(NEW, min_size=1, max_size=4), st.lists(NEW, min_size=1, max_size=4))
def test_a_log_written_anew_is_found_only_by_an_anchor(new: list[NewKeyUse], other: list[NewKeyUse]) -> None:
    """Whoever recomputes every hash and the head leaves a sound log: that is its limit, and what the anchor is for."""
    _, noted = build(new)
    uses, head = build(other)
    assert codes(uses, head) == []
    known = [LogHead(use.sequence, use.hash) for use in uses]
    assert codes(uses, head, noted) == ([] if noted in known else ["log.anchor"])


def test_a_fault_says_which_entry() -> None:
    """One edited entry is one finding, not one for every entry after it."""
    uses, head = build([NewKeyUse(number, "root", "sign", "clients", None, b"") for number in range(9)])
    uses[4] = uses[4]._replace(actor="nobody")
    (finding,) = find_faults(uses, head)
    assert (finding.code, finding.message) == ("log.edited", "entry was changed after it was written: 5")


def test_fields_do_not_run_into_each_other() -> None:
    """``ab`` + ``c`` is another entry than ``a`` + ``bc``, and no serial number another than serial number 0."""
    hashes = {
        chain(EMPTY, NewKeyUse(1, actor, action, "", serial, b"")).hash
        for actor, action, serial in [("ab", "c", None), ("a", "bc", None), ("ab", "c", 0), ("abc", "", None)]
    }
    assert len(hashes) == 4


@given(st.builds(LogHead, st.integers(0, (1 << 63) - 1), st.binary(min_size=32, max_size=32)))
def test_a_head_is_read_as_it_was_shown(head: LogHead) -> None:
    """Also with the line feed and the capitals of whoever noted it."""
    assert parse_head(show_head(head)) == head
    assert parse_head(f" {show_head(head).upper()}\n") == head


@pytest.mark.parametrize("text", ["", "5", "5:", ":" + "0" * 64, "-1:" + "0" * 64, "5:" + "0" * 63, "5:" + "x" * 64])
def test_what_is_no_head_is_refused(text: str) -> None:
    """Half a hash proves nothing."""
    with pytest.raises(InputError, match="not a head of the log") as caught:
        parse_head(text)
    assert caught.value.code == "log.head"
