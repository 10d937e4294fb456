"""No question asked every day scans a table in PostgreSQL either: each is looked up in its own plan.

Tables are nearly empty here, so scanning them is forbidden: a plan that scans all the same has no index to use.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from counterseal.store import issuance, key_use_log
from counterseal.store.acme import accounts, authorizations, orders
from counterseal.store.blocks import TAKE_AWAY
from counterseal.store.expiry import _COUNT, _NEXT_PROFILE
from counterseal.store.inventory import _BY_NAME, _BY_SERIAL, _KNOWN
from counterseal.store.postgresql import open_store
from counterseal.store.records import NewKeyUse, Query, Status
from counterseal.store.revocations import _DELETE, _LAST, _MARK
from counterseal.store.search import Position, statement
from counterseal.store.tally import SINCE
from postgresql_process import cluster
from store_fixtures import CLIENTS, NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.store.store import Store

pytestmark = pytest.mark.slow

SEARCHES = {
    "all": Query(),
    "status": Query(status=Status.REVOKED),
    "profile": Query(profile="client"),
    "issuer": Query(issuer="clients"),
    "reserved": Query(status=Status.RESERVED),
    "name": Query(name="web*"),
    "domain": Query(name="*.example.com"),
}
QUESTIONS = {
    "serial": _BY_SERIAL,
    "name": _BY_NAME,
    "count": _COUNT,
    "profiles": _NEXT_PROFILE,
    "known": _KNOWN,
    "record": issuance._RECORD,
    "reserved": issuance._RESERVED,
    "block": TAKE_AWAY,
    "mark": _MARK,
    "delete": _DELETE,
    "last": _LAST,
    "log": key_use_log._SELECT,
    "tally": SINCE,
    "account": accounts.BY_ID,
    "account by key": accounts.BY_THUMBPRINT,
    "authorization": authorizations.BY_ID,
    "reusable": authorizations.REUSABLE,
    "attempted": authorizations.ATTEMPTED,
    "order": orders.BY_ID,
    "orders": orders.OF_ACCOUNT,
    "replacing": orders.REPLACING,
    "order of a certificate": orders.BY_CERTIFICATE,
    "left behind": orders.LEFT_BEHIND.format(clock="1"),
    "nonces over": "select nonce from acme_nonce where expires_at < ? order by expires_at limit ?",
    "orders over": "select id from acme_order where expires_at < ? order by expires_at limit ?",
    "tokens over": "select id from token where expires_at < ? order by expires_at limit ?",
} | {name: statement(query, None, limit=10).sql for name, query in SEARCHES.items()}
LATER = Position(NOW, bytes(20), "clients")


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """Return an empty store that plans for whatever values come, and scans nothing if it can help it."""
    url = cluster().create(cluster().template)
    with open_store(url) as opened:
        opened.run("set enable_seqscan = off")
        opened.run("set plan_cache_mode = force_generic_plan")
        yield opened
    cluster().drop(url)


_numbers = count()


def plan(store: Store, sql: str) -> list[str]:
    """Return the lines of the plan."""
    name, places = f"q{next(_numbers)}", sql.count("?")
    numbered = sql
    for number in range(1, places + 1):
        numbered = numbered.replace("?", f"${number}", 1)
    store.run(f"prepare {name} as {numbered}")
    given = f"({', '.join(['null'] * places)})" if places else ""
    return [line for (line,) in store.rows(f"explain execute {name}{given}")]


def find_scans(lines: list[str]) -> list[str]:
    """List the scans of whole tables."""
    return [line for line in lines if "Seq Scan" in line]


@pytest.mark.parametrize("sql", QUESTIONS.values(), ids=QUESTIONS)
def test_every_question_uses_an_index(store: Store, sql: str) -> None:
    """The same cost at a thousand rows and a million."""
    assert find_scans(plan(store, sql)) == []


@pytest.mark.parametrize("query", [query for query in SEARCHES.values() if not query.name])
def test_a_later_page_begins_in_the_index(store: Store, query: Query) -> None:
    """Where the last one ended: the position is a condition of the index, and nothing but finished pages is sorted."""
    lines = plan(store, statement(query, LATER, limit=10).sql)
    assert find_scans(lines) == []
    assert any("Index Cond" in line and "ROW(" in line for line in lines), lines


def test_no_question_begins_another_process(store: Store) -> None:
    """Among a million names the plan for whatever value comes would have one begin for a page of two."""
    assert store.row("show max_parallel_workers_per_gather") == ("0",)


@pytest.mark.parametrize("at_once", [1, 300])
def test_a_plan_of_an_empty_log_reads_no_more_once_it_has_grown(at_once: int) -> None:
    """A connection keeps the plan that it made while the log was short, and what is planned then may be to read all."""
    url = cluster().create(cluster().template)
    with open_store(url) as store:
        store.add_ca(CLIENTS)
        with store.transaction():
            for _ in range(300 // at_once):
                store._append_key_uses([NewKeyUse(NOW, "root", "crl 1", "clients", None, bytes(32))] * at_once)
            read = "select seq_tup_read, seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = ?"
            assert store.row(read, ("key_use",)) == (0, 299)  # of each but the first the one before it
    cluster().drop(url)


def test_a_scan_is_found(store: Store) -> None:
    """The tests above can fail."""
    assert find_scans(plan(store, "select * from certificate where subject = ?")) != []
