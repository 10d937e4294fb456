"""What a ledger finds when it is opened again, wherever the run before was killed."""

from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterseal.authority.batch import tape
from counterseal.authority.batch.ledger import Ledger, Place, issued_names
from counterseal.errors import CountersealError, FileError, InputError

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = "issuer clients"


def _members(name: str) -> bytes:
    return tape.encode([(f"{name}.key.pem", name.encode() * 300, 0o600)], folder="x", at=0)


def _deposit(ledger: Ledger, number: int) -> tuple[int, int]:
    deposit = ledger.deposit(_members(f"d{number}"), [(f"d{number}", f"{number:X}", "", "")])
    ledger.note(deposit, last_serial=number)
    return deposit.start, deposit.end


def _open(place: Place, recorded: int) -> Ledger:
    """Open the ledger as if the store had recorded the numbers up to ``recorded``."""
    return Ledger(place, fingerprint=OPTIONS, is_recorded=lambda serial: serial <= recorded)


@pytest.fixture(params=["directory", "archive"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Return both kinds of place."""
    return Place.in_directory(tmp_path) if request.param == "directory" else Place.in_archive(tmp_path / "x.tar")


@pytest.mark.parametrize(("recorded", "kept"), [(3, {"d1", "d2", "d3"}), (2, {"d1", "d2"})])
def test_a_chunk_that_was_not_recorded_is_cut_off(place: Place, recorded: int, kept: set[str]) -> None:
    """Killed after the deposit: the store says whether the last chunk counts, and half a chunk more never does."""
    with _open(place, 0) as ledger:
        parts = [_deposit(ledger, number) for number in (1, 2, 3)]
    for path, torn in ((place.sheet, b"d4,4"), (place.partial, b"half of a member"), (place.journal, b"77 88")):
        with path.open("ab") as stream:
            stream.write(torn)
    with _open(place, recorded) as ledger:
        assert ledger.parts == parts[:recorded]
        assert place.partial.stat().st_size == parts[recorded - 1][1]
        assert issued_names(place) == kept
        assert _deposit(ledger, 4)[0] == parts[recorded - 1][1]
    assert issued_names(place) == kept | {"d4"}


def test_a_chunk_may_be_put_on_disk_before_the_one_before_it_is_noted(place: Place) -> None:
    """Another process deposits while this one records: what is not noted is cut off, wherever the run was killed."""
    with _open(place, 0) as ledger:
        first = ledger.deposit(_members("d1"), [("d1", "1", "", "")], opening=b"what comes first")
        second = ledger.deposit(_members("d2"), [("d2", "2", "", "")], opening=b"what comes first")
        ledger.note(first, last_serial=1)
    assert (first.start, first.end) == (0, second.start)
    with _open(place, 1) as ledger:
        assert ledger.parts == [(first.start, first.end)]
        assert issued_names(place) == {"d1"}
        assert place.partial.read_bytes() == b"what comes first" + _members("d1")
        ledger.note(ledger.deposit(_members("d3"), [("d3", "3", "", "")]), last_serial=3)
    with _open(place, 3) as ledger:
        assert [end for _, end in ledger.parts] == [first.end, first.end + len(_members("d3"))]
        assert issued_names(place) == {"d1", "d3"}


def test_a_finished_batch_leaves_the_sheet_and_can_be_gone_on_with(place: Place, tmp_path: Path) -> None:
    """Rows may be added later: into the same directory, or at the end of the same archive."""
    for number in (1, 2):
        with _open(place, 9) as ledger:
            part = _deposit(ledger, number)
            if place.directory:
                tape.unpack(ledger.archive, part, place.directory)
            ledger.finish()
        assert not place.is_unfinished
        assert not place.partial.exists()
    assert issued_names(place) == {"d1", "d2"}
    if place.directory is None:
        content = place.archive.read_bytes()
        assert content == _members("d1") + _members("d2") + tape.END
        assert place.archive.stat().st_mode & 0o777 == 0o600
    else:
        assert (tmp_path / "d2.key.pem").read_bytes() == b"d2" * 300
        assert sorted(path.name for path in tmp_path.iterdir()) == ["d1.key.pem", "d2.key.pem", "issued.csv"]
    assert place.sheet.stat().st_mode & 0o777 == 0o600


def test_killed_between_the_last_steps_of_its_end(tmp_path: Path) -> None:
    """The archive has its name and its end already, the journal is still there: nothing is lost, nothing doubled."""
    place = Place.in_archive(tmp_path / "x.tar")
    with _open(place, 0) as ledger:
        _deposit(ledger, 1)
        journal = place.journal.read_bytes()
        ledger.finish()
    place.journal.write_bytes(journal)
    with _open(place, 1) as ledger:
        ledger.finish()
    assert place.archive.read_bytes() == _members("d1") + tape.END


def test_what_does_not_fit_together_is_refused_and_left_alone(place: Place) -> None:
    """Other options, another store, a second run at the same time, a sheet of somebody else."""
    with _open(place, 0) as ledger:
        _deposit(ledger, 1)
        _deposit(ledger, 2)
        with pytest.raises(CountersealError) as second:
            _open(place, 2)
        assert second.value.code == "batch.running"
    before = (place.sheet.read_bytes(), place.partial.read_bytes(), place.journal.read_bytes())
    with pytest.raises(CountersealError) as other_store:
        _open(place, 0)
    assert other_store.value.code == "batch.other_store"
    with pytest.raises(CountersealError) as other_options:
        Ledger(place, fingerprint="issuer staff", is_recorded=lambda _: True)
    assert other_options.value.code == "batch.options"
    assert before == (place.sheet.read_bytes(), place.partial.read_bytes(), place.journal.read_bytes())
    place.sheet.write_text("name,city\n")
    with pytest.raises(InputError) as foreign:
        issued_names(place)
    assert foreign.value.code == "batch.sheet"


@pytest.mark.parametrize(
    ("damaged", "content"),
    [
        ("journal", OPTIONS.encode() + b"\n40 0 -\n40 zero 1\n"),
        ("journal", OPTIONS.encode() + b"\n40 0 -\n40 0 no number\n"),
        ("journal", b"\xff\xfe\n"),
        ("sheet", b"cut"),
        ("partial", b"cut"),
        ("sheet", None),
        ("partial", None),
    ],
)
def test_a_damaged_file_is_named_and_nothing_is_changed(place: Place, damaged: str, content: bytes | None) -> None:
    """Not taken for a shorter batch, nor filled up with zeros."""
    with _open(place, 0) as ledger:
        _deposit(ledger, 1)
    file: Path = getattr(place, damaged)
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    kept = [path for path in (place.sheet, place.partial, place.journal) if path.exists()]
    before = [path.read_bytes() for path in kept]
    with pytest.raises(FileError, match=f"is not what it was: {file}$") as found:
        _open(place, 1)
    assert found.value.code == "batch.damaged"
    assert before == [path.read_bytes() for path in kept]
    assert file.exists() == (content is not None)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"name,serial_number,not_after,password\n" + b'"' + b"x" * 140_000])
def test_a_sheet_that_cannot_be_read_is_no_sheet(place: Place, content: bytes) -> None:
    """As one with other columns: what it has issued is not guessed."""
    place.sheet.write_bytes(content)
    with pytest.raises(InputError) as found:
        issued_names(place)
    assert found.value.code == "batch.sheet"


def test_an_archive_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """Also one that is shorter than the end of any archive."""
    place = Place.in_archive(tmp_path / "x.tar")
    place.archive.write_bytes(b"mine")
    with pytest.raises(FileError, match="not an archive that a batch ended"):
        _open(place, 0)
    assert place.archive.read_bytes() == b"mine"


def test_an_archive_in_which_octets_have_changed_is_named(tmp_path: Path) -> None:
    """Of the right length, but no archive: an error with its name."""
    archive = tmp_path / "a.tar"
    archive.write_bytes(b"?" * 1024)
    with pytest.raises(FileError, match=f"is not what it was: {archive}$"):
        tape.unpack(archive, (0, 1024), tmp_path)


def test_unpacking_again_mends_what_is_missing_or_torn(tmp_path: Path) -> None:
    """As after a power cut; modes are exact whatever the umask."""
    archive = tmp_path / "a.tar"
    long_name = "n" * 128 + ".key.pem"
    files = [(long_name, b"secret", 0o600), ("b.fullchain.pem", b"public", 0o644)]
    content = tape.encode(files, folder="devices", at=1_800_000_000)
    archive.write_bytes(_members("other") + content + b"torn")
    part = (len(_members("other")), len(_members("other")) + len(content))
    out = tmp_path / "out"
    out.mkdir()
    (out / long_name).write_bytes(b"sec")
    before = os.umask(0o077)
    try:
        tape.unpack(archive, part, out)
    finally:
        os.umask(before)
    for name, octets, mode in files:
        assert (out / name).read_bytes() == octets
        assert (out / name).stat().st_mode & 0o777 == mode
    assert len(list(out.iterdir())) == len(files)


@given(
    name=st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=160),
    size=st.integers(0, 3000),
    mode=st.sampled_from([0o600, 0o644]),
    at=st.integers(0, 2**33 - 1),
)
def test_a_header_is_the_librarys_octet_for_octet(name: str, size: int, mode: int, at: int) -> None:
    """Also of a name that is too long for a plain header, or not ASCII."""
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, mode, at
    assert tape.header(name, size, mode, at) == member.tobuf(tarfile.PAX_FORMAT)
