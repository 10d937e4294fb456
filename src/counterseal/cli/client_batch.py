"""``counterseal client --batch``: many client certificates from one file."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from counterseal.authority.batch.check import Examined, chunk_size, examine
from counterseal.authority.batch.issue import is_recorded, issue_batch
from counterseal.authority.batch.ledger import Ledger, Place, issued_names
from counterseal.authority.batch.order import BatchOrder
from counterseal.bundles.pem import TRUST_ANCHOR_FILE, file_stem
from counterseal.bundles.pkcs12 import FAST_ROUNDS, Strength
from counterseal.cli.dry_run import show_dry_run, unseen
from counterseal.cli.packing import packing_of
from counterseal.errors import FileError, InputError
from counterseal.files import make_directory
from counterseal.fileset import PUBLIC, SECRET
from counterseal.keystore.software import generate_key
from counterseal.pki.keys import parse_key_spec
from counterseal.pki.profile import Purpose
from counterseal.pki.shown import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from types import FrameType

    from counterseal.authority.parts import Authority
    from counterseal.cli.client import Options
    from counterseal.cli.common import Run
    from counterseal.cli.passphrase import PasswordSource

PER_ROW = ("email", "uri", "dns", "subject")
SUFFIXES = (".key.pem", ".fullchain.pem", ".p12")
USUAL_COLUMNS, WIDEST_BAR = 80, 36
BESIDE_BAR = len("issuing  []  100%  1d 00:00:00") + 1
MICROSECONDS_A_ROUND = {Strength.MODERN: 0.5, Strength.COMPATIBLE: 1.25}


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as the command line asked for it."""

    rows: Path
    place: Place
    force: bool
    dry_run: bool


def run_batch(run: Run, rows: Path, options: Options) -> None:
    """Check all rows, issue those that are not in the sheet yet, and say where everything is."""
    if options["help_device"] is not None:
        raise click.UsageError("--help-device is for one client, and a --batch makes many")
    if not rows.is_file():
        hint = "write them to a file first"
        raise InputError("batch.no_file", f"the rows of a batch are read twice, which a pipe is not: {rows}", hint=hint)
    batch = Batch(rows, _place(options), options["force"], options["dry_run"])
    _require_no_foreign_archive(batch.place)
    processes = _processes()
    with run.authority() as authority, _terminated_like_interrupted():
        order = _order(authority, options)
        recorded = partial(is_recorded, authority, order.issuer)
        if batch.place.is_unfinished and not batch.dry_run:
            with Ledger(batch.place, fingerprint=order.fingerprint(), is_recorded=recorded):
                run.say(f"going on with the unfinished batch in {batch.place.sheet.parent}")
        issued = issued_names(batch.place)
        occupied = _occupied(batch)
        found = examine(authority, order, rows, issued=issued, occupied=occupied, processes=processes)
        if found.remaining:
            order = _with_password(order, options["password"])
        _say_plan(run, order, found, batch)
        if batch.dry_run:
            if found.remaining:
                run.rehearse_opening(authority, [authority.store.ca(order.issuer)])
            _rehearse(run, order, found, batch)
            return
        began = time.monotonic()
        if found.remaining or batch.place.is_unfinished:
            make_directory(batch.place.sheet.parent)
            with Ledger(batch.place, fingerprint=order.fingerprint(), is_recorded=recorded) as ledger:
                used = processes if found.remaining > chunk_size(order) else 0
                counts = issue_batch(authority, order, rows, ledger, batch.place, issued=issued, processes=used)
                _follow(run, counts, found.remaining)
    _show(run, order, found, batch, time.monotonic() - began)


def _rehearse(run: Run, order: BatchOrder, found: Examined, batch: Batch) -> None:
    """Show how many files there would be, and those of the first names; nothing where nothing is left to issue."""
    place, document = batch.place, _document(found, batch, 0.0)
    if not found.remaining:
        what = f"do nothing: {counted(found.rows, 'row')} already in {place.sheet}"
        show_dry_run(run, acts=[what], document={**document, "file_count": 0})
        return
    acts = [f"issue {counted(found.remaining, 'certificate')} into {place.directory or place.archive}"]
    suffixes = SUFFIXES if order.packing else SUFFIXES[:2]
    count = found.remaining * len(suffixes) + 1
    names = [f"{file_stem(name)}{suffix}" for name in found.first for suffix in suffixes]
    left = count - len(names) - 1
    acts += [f"put {counted(count, 'file')} there: {', '.join([TRUST_ANCHOR_FILE, *names])}"]
    acts[-1] += f" and {left:,} more" if left else ""
    paths = (
        [place.archive] if place.directory is None else [place.directory / one for one in (TRUST_ANCHOR_FILE, *names)]
    )
    public = (".fullchain.pem", TRUST_ANCHOR_FILE)
    files = [unseen(one, size=None, mode=PUBLIC if one.name.endswith(public) else SECRET) for one in paths]
    files.append(unseen(place.sheet, size=None))
    show_dry_run(run, acts=acts, files=files, document={**document, "file_count": count})


def _order(authority: Authority, options: Options) -> BatchOrder:
    key = parse_key_spec(options["key"])
    packing = packing_of(options, lambda: generate_key(key).public_key(), password=None)
    named = options["issuer"]
    issuer = authority.issuing(authority.store.ca(named)) if named else authority.issuer_for(Purpose.CLIENT)
    return BatchOrder(authority.profile("client"), issuer, key, packing, options["group"], options["lifetime"])


def _with_password(order: BatchOrder, password: PasswordSource) -> BatchOrder:
    """Have all PKCS#12 one password where a person chooses it, who is asked once all rows are known to be good."""
    if order.packing is None or not password.given:
        return order
    return replace(order, packing=replace(order.packing, password=password.choose()))


def _place(options: Options) -> Place:
    if options["name"] is not None:
        raise InputError("batch.name", f"with --batch the names are in the file: {options['name']}")
    if given := [name for name in PER_ROW if options[name]]:  # type: ignore[literal-required]  # the four above
        raise InputError("batch.option", f"with --batch this is a column of the file: --{given[0]}")
    archive = options["archive"]
    if archive is None:
        return Place.in_directory(options["out"])
    if archive.suffix != ".tar":
        raise InputError("batch.archive_name", f"the archive is a tar file, so its name ends in .tar: {archive}")
    return Place.in_archive(archive)


def _require_no_foreign_archive(place: Place) -> None:
    if place.directory is None and place.archive.exists() and not (place.sheet.exists() or place.is_unfinished):
        raise FileError("file.exists", f"file exists already: {place.archive}", hint="choose another name")


def _occupied(batch: Batch) -> Callable[[str], Path | None]:
    """Return what tells which file stands where one of a stem's files would be written."""
    directory = batch.place.directory
    present = (
        {path.name for path in directory.iterdir()} if directory and directory.is_dir() and not batch.force else set()
    )

    def look(stem: str) -> Path | None:
        if not present:
            return None
        taken = next((stem + suffix for suffix in SUFFIXES if stem + suffix in present), None)
        return directory / taken if directory and taken else None

    return look


def _processes() -> int:
    """Return how many processes may work at once; 0 for this one alone."""
    cores = len(os.sched_getaffinity(0))
    return cores if cores > 1 else 0


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Have SIGTERM end the batch as Ctrl-C does: with a word about how to go on."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say_plan(run: Run, order: BatchOrder, found: Examined, batch: Batch) -> None:
    before = f", {found.rows - found.remaining:,} issued before" if found.remaining < found.rows else ""
    run.say(f"{batch.rows}: {counted(found.rows, 'row')}, all good{before}")
    if found.remaining and order.packing:
        rounds = order.packing.rounds
        cost = rounds * MICROSECONDS_A_ROUND[order.packing.strength] / 1000
        run.say(f"each PKCS#12 costs {rounds:,} rounds of key derivation, some {cost:.1f} ms")
        if order.packing.password is None and rounds > FAST_ROUNDS:
            run.say(f"hint: made passwords need no stretching: --p12-rounds {FAST_ROUNDS} takes a tenth of the time")


def _follow(run: Run, counts: Iterable[int], total: int) -> None:
    """Show the progress on a terminal, and what is done when it is interrupted."""
    done, width = 0, 0 if run.json else _bar_width()
    try:
        with click.progressbar(length=total, label="issuing", file=sys.stderr, width=width, hidden=not width) as bar:
            for count in counts:
                done += count
                bar.update(count)
    except KeyboardInterrupt:
        run.say(f"stopped with {done:,} of {total:,} handed out; run the same command again to go on")
        raise


def _bar_width() -> int:
    """Return how wide the bar is, so that its line never breaks; 0 where no terminal would show it in one line."""
    if not sys.stderr.isatty():
        return 0
    columns = os.get_terminal_size(sys.stderr.fileno()).columns or USUAL_COLUMNS
    return max(0, min(WIDEST_BAR, columns - BESIDE_BAR))


def _document(found: Examined, batch: Batch, seconds: float) -> dict[str, Any]:
    place = batch.place
    return {
        "rows": found.rows,
        "issued": 0 if batch.dry_run else found.remaining,
        "issued_before": found.rows - found.remaining,
        "directory": place.directory,
        "archive": None if place.directory else place.archive,
        "sheet": place.sheet,
        "seconds": round(seconds, 3),
    }


def _show(run: Run, order: BatchOrder, found: Examined, batch: Batch, seconds: float) -> None:
    place = batch.place
    if not found.remaining:
        run.show(
            _document(found, batch, seconds), f"nothing to issue: {counted(found.rows, 'row')} already in {place.sheet}"
        )
        return
    rate = f" in {seconds:.1f} s ({found.remaining / seconds:,.0f}/s)" if seconds else ""
    lines = [
        f"issued {counted(found.remaining, 'client certificate')}{rate}",
        f"  files   {place.directory or place.archive}",
        f"  sheet   {place.sheet}",
    ]
    if order.packing and order.packing.password is None:
        lines.append("  the sheet has the PKCS#12 passwords: keep it apart from the files")
    lines.append("next: counterseal list --profile client")
    run.show(_document(found, batch, seconds), "\n".join(lines))
