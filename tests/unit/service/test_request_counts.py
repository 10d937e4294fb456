"""The counts of requests are series as Prometheus reads them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from counterseal.service.request_counts import BUCKETS, RequestCounts


def test_counts_are_series_that_prometheus_reads() -> None:
    """A bucket holds all that took no longer than its bound, the last one all."""
    counts, registry = RequestCounts(), CollectorRegistry()
    registry.register(counts)
    for status, seconds in ((200, 0.001), (200, 0.002), (404, 100.0)):
        counts.count("acme", status, seconds)
    counts.count("ocsp", 200, 0.0001)
    families = text_string_to_metric_families(generate_latest(registry).decode())
    found = {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}
    took = "counterseal_http_request_duration_seconds"
    assert {key: found[key] for key in found if key[1:] in {("acme", "200"), ("acme", "404"), ("ocsp", "200")}} == {
        ("counterseal_http_requests_total", "acme", "200"): 2,
        ("counterseal_http_requests_total", "acme", "404"): 1,
        ("counterseal_http_requests_total", "ocsp", "200"): 1,
    }
    bounds = [*map(str, BUCKETS), "+Inf"]
    assert [found[f"{took}_bucket", "acme", bound] for bound in bounds] == [1, *[2] * (len(BUCKETS) - 1), 3]
    assert found[f"{took}_count", "acme"] == 3
    assert found[f"{took}_sum", "acme"] == 0.001 + 0.002 + 100.0
