"""What this process counts about itself, for Prometheus: requests, refusals, the database, OCSP, validations.

Counted in memory and begun anew with the process, as Prometheus expects of a counter. What must outlive a restart, or
be the same for every replica, is no counter of a process: it is read from the store (``protocols.metrics``). Names
follow Prometheus' conventions: base units, ``_total`` for counters; labels have few values, never a name of a client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from counterseal import __version__
from counterseal.service.request_counts import RequestCounts

if TYPE_CHECKING:
    from collections.abc import Callable

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for every counter

COMMIT_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics:
    """The counters of one process; each attribute is one, to be counted up where it happens."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)  # its start, memory, processor time and open files
        build = Gauge("counterseal_build_info", "The version that runs", ["version"], registry=registry)
        build.labels(__version__).set(1)
        self.requests = RequestCounts()
        registry.register(self.requests)
        self.refused = Counter(
            "counterseal_refused",
            "Requests that were refused or failed, by error code or ACME problem",
            ["face", "reason"],
            registry=registry,
        )
        self.ocsp_answers = Counter(
            "counterseal_ocsp_answers", "OCSP answers by what they say", ["status"], registry=registry
        )
        self.validations = Counter(
            "counterseal_acme_validations",
            "Validated challenges by type and result: valid, or the ACME problem",
            ["type", "result"],
            registry=registry,
        )
        self.commits = Counter("counterseal_db_commits", "Common commits of the writer", registry=registry)
        self.jobs = Counter("counterseal_db_jobs", "Jobs that shared these commits", registry=registry)
        self.busy = Counter("counterseal_db_busy_retries", "Times that another process was writing", registry=registry)
        self.commit_seconds = Histogram(
            "counterseal_db_commit_duration_seconds",
            "Until a common commit is on disk; with PostgreSQL from the beginning of its transaction",
            registry=registry,
            buckets=COMMIT_BUCKETS,
        )
        self._waiting, self._listening = _gauges(registry)

    def watch_hearing(self, hears: Callable[[], bool]) -> None:
        """Have it told whether changes in a shared store are announced to this process."""
        self._listening.set_function(hears)

    def watch_waiting(self, count: Callable[[], int]) -> None:
        """Have the waiting jobs counted when somebody asks."""
        self._waiting.set_function(count)


def _gauges(registry: CollectorRegistry) -> tuple[Gauge, Gauge]:
    """Return those of the database: the jobs that wait, and whether it is heard."""
    waiting = Gauge("counterseal_db_jobs_waiting", "Jobs that wait to be written", registry=registry)
    listening = Gauge(
        "counterseal_db_listening",
        "Whether changes in the database are announced to this process; 1 with a file, into which it looks",
        registry=registry,
    )
    listening.set(1)
    return waiting, listening
