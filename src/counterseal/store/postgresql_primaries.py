"""Whether several hosts of a store's URL may be written to, as when an old primary has come back after a failover."""

from __future__ import annotations

from contextlib import suppress

import psycopg
from psycopg.conninfo import conninfo_to_dict

_SECONDS = 3
_START = "select pg_postmaster_start_time()"
"""Two names may be one server's; when it was started tells."""


def primaries(url: str, password: str | None) -> list[str]:
    """Return the hosts in the URL that take writing, each server once; those that do not answer soon are left out."""
    given = conninfo_to_dict(url)
    hosts, ports = str(given.get("host") or "").split(","), str(given.get("port") or "").split(",")
    found: dict[object, str] = {}
    for number, host in enumerate(hosts):
        one = {"host": host, "port": ports[number if len(ports) > 1 else 0] or None}
        one |= {"target_session_attrs": "read-write", "connect_timeout": str(_SECONDS), "password": password}
        with suppress(psycopg.Error), psycopg.connect(**{**given, **one}, autocommit=True) as line:  # type: ignore[arg-type] # what libpq knows
            found.setdefault(line.execute(_START).fetchone(), host)
    return list(found.values())
