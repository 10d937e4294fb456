"""What an older program took for a line that is not there is not there where its file is read again."""

from __future__ import annotations

from counterseal.config.emptied import without_empty


def test_only_lists_that_name_nobody_are_left_out() -> None:
    """Wherever they stand; a site may have the name of one."""
    site = {"listen": [443], "client_cas": [], "allow": {"groups": [], "subjects": []}, "server_names": []}
    admin = {"path": "/admin", "allow": {}}
    kept = {"path": "/", "allow": {"groups": ["ops"], "subjects": []}, "client_cas": ["staff"]}
    document = {"sites": {"allow": {**site, "locations": [admin, kept]}}, "profiles": {"a": {"permitted_domains": []}}}
    assert without_empty(document) == {
        "sites": {"allow": {"listen": [443], "server_names": [], "locations": [{"path": "/admin"}, kept]}},
        "profiles": {"a": {}},
    }
