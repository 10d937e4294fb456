"""The CA itself: its store, its keys and their modes, and everything of it that expires."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.ahead import NAME as RESERVED_AHEAD
from counterseal.authority.doctor.check import RESTORE, Check, attention, broken, ok
from counterseal.authority.inventory import show_state
from counterseal.authority.parts import replacing
from counterseal.authority.publish import lacking_lists, signing_cas, stale_lists
from counterseal.authority.site_certificate import sites_of_revoked
from counterseal.authority.timeline.gather import Kind, Span, gather
from counterseal.authority.timeline.gather import State as SpanState
from counterseal.duration import show_duration
from counterseal.errors import CountersealError, KeyAccessError, shell_line
from counterseal.moments import epoch, show_moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from counterseal.authority.parts import Authority
    from counterseal.authority.served import ServedSite
    from counterseal.store.records import CARecord

READ_IN_FULL = 256 * 1024 * 1024
"""A store up to this size is read page by page, in a second or two; a larger one only when asked for."""
LOG_IN_FULL = 100_000
_DURABLE = "fsync and full_page_writes are on; pages are the server's to check"
_GO_ON_THERE = f"{RESTORE}, and go on there: this log stays as evidence"
TAKE_LIST = "counterseal ca import-crl FILE, with a list that its key has signed elsewhere"
_NEW_ROOT = "counterseal init --home ELSEWHERE, and issue anew there: nothing under this root outlives it"
_OTHERS = 0o077
_MEGABYTE = 1024 * 1024
_WEEK_SECONDS = 7 * 86_400
_UNDER_WAY_SECONDS = 3_600
_TOPICS = {Kind.CA: "ca", Kind.CRL: "list", Kind.SITE: "site certificate"}


def check_store(authority: Authority, *, deep: bool) -> Iterator[Check]:
    """Yield whether the database and the log of key uses are whole; ``deep`` reads them however large they are."""
    store, size = authority.store, authority.store.size()
    if not store.is_shared and (mode := stat.S_IMODE(store.path.stat().st_mode)) & _OTHERS:
        yield attention("store", "", f"others can read the store: mode {mode:04o}", f"chmod 600 {store.path}")
    shown = f"{store.place if store.is_shared else store.path.name}, {size / _MEGABYTE:.1f} MB"
    if size > READ_IN_FULL and not deep and not store.is_shared:
        yield ok("store", "", f"{shown}: opens; counterseal doctor --deep reads every page")
    else:
        damages = authority.store.check().findings
        yield from (broken("store", "", finding.message, finding.hint or RESTORE) for finding in damages)
        found = _DURABLE if store.is_shared else "every page and index is whole"
        yield from () if damages else (ok("store", "", f"{shown}: {found}"),)
    yield from _check_log(authority, deep=deep)
    yield from _check_reserved(authority)


def _check_reserved(authority: Authority) -> Iterator[Check]:
    """Say how many numbers commands took that were ended before their certificate left; they need no mending."""
    old = authority.store.reserved_before(epoch(authority.clock()) - _UNDER_WAY_SECONDS)
    left = sum(one.name != RESERVED_AHEAD for one in old)
    if left:
        told = "1 serial number is" if left == 1 else f"{left:,} serial numbers are"
        yield ok(
            "reserved", "", f"{told} of commands that were ended; never used again: counterseal list --status reserved"
        )


def _check_log(authority: Authority, *, deep: bool) -> Iterator[Check]:
    entries = authority.store.key_use_head().sequence
    if entries > LOG_IN_FULL and not deep:
        yield ok("log", "", f"{entries:,} uses of CA keys; counterseal doctor --deep follows the chain of hashes")
        return
    faults = authority.store.verify_key_uses().findings
    yield from (broken("log", finding.where or "", finding.message, _GO_ON_THERE) for finding in faults[:3])
    yield from () if faults else (ok("log", "", f"{entries:,} uses of CA keys, the chain of hashes is whole"),)


def check_keys(authority: Authority, *, unlock: bool) -> Iterator[Check]:
    """Yield whether the key of every CA is where it should be, for nobody else to read, and that of its certificate.

    Encrypted keys are opened where ``unlock`` says that their passphrase is to be had.
    """
    for record in authority.store.cas():
        path = authority.keystore.path(record.key_id)
        if not path.is_file():
            yield _missing_key(record, path)
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & _OTHERS:
            yield broken("key", record.name, f"others can read the key: mode {mode:04o}", f"chmod 600 {path}")
            continue
        encrypted = authority.keystore.is_encrypted(record.key_id)
        if fault := _wrong_key(authority, record) if unlock or not encrypted else None:
            yield broken("key", record.name, fault, _bring_back(path))
        else:
            closed = "encrypted" if encrypted else "not encrypted"
            offline = "; a root's key is safer offline" if record.parent is None and record.purpose == "root" else ""
            yield ok("key", record.name, f"mode {mode:04o}, {closed}{offline}")


def _wrong_key(authority: Authority, record: CARecord) -> str | None:
    """Return why a key cannot be that of its CA; None where nobody has the passphrase."""
    try:
        key = authority.keystore.signer(record.key_id).public_key
    except KeyAccessError as error:
        return None if error.code == "key.passphrase_missing" else error.message
    except CountersealError:
        return None  # no key is opened now, which has a line of its own
    matches = key == x509.load_der_x509_certificate(record.certificate).public_key()
    return (
        None if matches else "the key is not the one in the certificate of this CA, so what it signs is worth nothing"
    )


def _missing_key(record: CARecord, path: Path) -> Check:
    if record.purpose == "root" or record.state != "active":
        return ok("key", record.name, "not here: it signs nothing, and its list grows old without it")
    return broken("key", record.name, f"the key is not here, so nothing can be signed: {path}", _bring_back(path))


def _bring_back(path: Path) -> str:
    return f"{RESTORE} && {shell_line('cp', '-p', f'ELSEWHERE/keys/{path.name}', path)}"


def check_ends(authority: Authority, sites: Sequence[ServedSite]) -> Iterator[Check]:
    """Yield how long the CAs, their lists and the sites' certificates still live, and how many others end soon."""
    timeline = gather(authority, sites, limit=1)
    spans = [span for span in timeline.spans if span.kind in _TOPICS]
    orphans = dict(_orphans(authority, sites))
    for span in spans:
        if span.kind is not Kind.CRL:
            line = _ca_end(authority, span, timeline.at) if span.kind is Kind.CA else _end(span, timeline.at)
            yield orphans.get((span.kind, span.name), line)
    yield from _lists(authority, [span for span in spans if span.kind is Kind.CRL], timeline.at)
    soon = sum(
        authority.store.count_valid(count.profile, (epoch(timeline.at), epoch(timeline.at) + _WEEK_SECONDS))[0]
        for count in timeline.counts
    )
    told = f"{soon:,} of {timeline.total:,} valid ones expire within a week"
    if not soon:
        yield ok("certificates", "", told)
        return
    first = [shell_line("counterseal", "renew", span.name) for span in timeline.of(Kind.CERTIFICATE)]
    yield attention("certificates", "", told, "; ".join([*first, "all of them: counterseal list --expiring 7d"]))


def _orphans(authority: Authority, sites: Sequence[ServedSite]) -> Iterator[tuple[tuple[Kind, str], Check]]:
    """Yield by what it is about a line for each CA that is revoked and has no successor, and what hangs on it."""
    for record in authority.store.cas():
        if record.revoked_at is not None and record.successor is None:
            told = f"{record.purpose}, {show_state(record)}: nobody issues in its place"
            yield (Kind.CA, record.name), attention("ca", record.name, told, replacing(record))
    for site in sites_of_revoked(authority, sites):
        told = "its certificate is of a revoked CA, which a client that asks no list goes on taking"
        mend = "counterseal refresh, once a CA for servers issues again"
        yield (Kind.SITE, site), attention("site certificate", site, told, mend)


def _lists(authority: Authority, spans: Sequence[Span], at: datetime) -> Iterator[Check]:
    stale, lacking = set(stale_lists(authority)), set(lacking_lists(authority))
    listed = {span.name for span in spans}
    here = {record.name for record in signing_cas(authority)}
    for span in spans:
        lines = _end(span, at, None if span.name in here else TAKE_LIST)
        if span.name in stale and span.state is SpanState.FINE:
            told = "revocations have changed since it was signed"
            if span.begin > at:
                told = f"dated ahead, by a clock that was: until {show_moment(span.begin)} whoever checks refuses all"
            lines = attention("list", span.name, told, "counterseal refresh")
        if span.name in lacking:
            told = "revocations have changed since it was signed, and the key to sign another is not here"
            lines = attention("list", span.name, told, f"counterseal crl, with the key of CA {span.name} at hand")
        yield lines
    for name in sorted(stale - listed):
        yield attention("list", name, "no list was signed yet", "counterseal crl")
    for name in authority.without_list(record for record in authority.store.cas() if record.name not in stale):
        told = "none here, and only its key elsewhere can sign one: sites refuse by a map, and not a CA that it revokes"
        yield attention("list", name, told, TAKE_LIST)


def _ca_end(authority: Authority, span: Span, at: datetime) -> Check:
    record = authority.store.ca(span.name)
    if span.state is SpanState.EXPIRED and record.successor is not None:
        told = f"{span.note}, until {show_moment(span.end)}: ended, and {record.successor} issues in its place"
        return ok("ca", span.name, told)
    root_end = authority.path(record)[-1].not_valid_after_utc
    return _end(span, at, _NEW_ROOT if root_end <= max(span.end, at) else replacing(record))


def _end(span: Span, at: datetime, mend: str | None = None) -> Check:
    topic, left = _TOPICS[span.kind], show_duration(abs(span.end - at))
    age = f", {show_duration(at - span.begin)} old" if span.kind is Kind.CRL else ""
    until = f"{span.note}{age}, until {show_moment(span.end)}"
    mends = {
        Kind.CRL: "counterseal refresh",
        Kind.SITE: "counterseal refresh, or put a new file there where it is your own",
    }
    if span.state is SpanState.EXPIRED:
        return broken(topic, span.name, f"{until}: expired {left} ago", mend or mends[span.kind])
    if span.state is SpanState.DUE:
        return attention(topic, span.name, f"{until}, {left} left: due to be replaced", mend or mends[span.kind])
    return ok(topic, span.name, f"{until}, {left} left")
