"""Files and directories that sites name and that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.authority.served import BackendFiles, ServedSite
from counterseal.authority.site_files import missing_roots, require_files
from counterseal.errors import ConfigError
from counterseal.nginx.site import Listen, Location, Site

if TYPE_CHECKING:
    from pathlib import Path


def test_all_are_named_with_their_keys(tmp_path: Path) -> None:
    """Files keep from a deploy; directories are told, because nginx takes them without a word."""
    there, gone = tmp_path / "there", tmp_path / "gone"
    there.touch()
    locations = (Location("/a", root=str(tmp_path)), Location("/b", root=str(gone)))
    site = Site("a", ("a.test",), (Listen("*", 443),), client_cas=("clients",), root=str(gone), locations=locations)
    right = ServedSite(site, there, there)
    require_files([right])
    with pytest.raises(ConfigError) as caught:
        require_files([right, ServedSite(site, there, gone, BackendFiles(trust=gone, crl=there))])
    assert caught.value.code == "site.file"
    assert [(one.where, one.message) for one in caught.value.findings] == [
        ("sites.a.certificate_key", f"no such file: {gone}"),
        ("sites.a.upstream_tls.trust", f"no such file: {gone}"),
    ]
    assert [one.where for one in missing_roots([right])] == ["sites.a.root", "sites.a.locations[1].root"]
