"""Whether what the sites name on this machine is there: looked at before a deploy, and told at once.

On a machine that deploys no site nobody looks: its configuration may be that of several.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.errors import ConfigError
from counterseal.findings import Finding, Severity
from counterseal.nginx.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterseal.authority.served import ServedSite

_MAKE = "make it, or name the one that is: a path is absolute, or relative to counterseal.toml"


def require_files(served: Sequence[ServedSite]) -> None:
    """Raise ConfigError ``site.file`` with every file that a site names and that is not there."""
    findings = tuple(
        Finding("site.file", Severity.CRITICAL, f"no such file: {path}", where=f"sites.{one.site.name}.{key}")
        for one in served
        for key, path in _files(one)
        if not path.is_file()
    )
    if findings:
        raise ConfigError(
            "site.file",
            "files that the sites name are not there",
            findings=findings,
            hint="put them there, or name those that are: a path is absolute, or relative to counterseal.toml",
        )


def missing_roots(served: Sequence[ServedSite]) -> Iterator[Finding]:
    """Yield every directory of a site that is not there: nginx takes it without a word, and answers 404."""
    for one in served:
        for key, root in _roots(one):
            if _is_missing(Path(root)):
                told = f"no such directory: {root}; nginx answers 404 until it is there"
                yield Finding("site.root", Severity.MEDIUM, told, where=f"sites.{one.site.name}.{key}", hint=_MAKE)


def _is_missing(root: Path) -> bool:
    try:
        return not root.is_dir()
    except PermissionError:  # nginx may look there all the same
        return False


def _files(one: ServedSite) -> Iterator[tuple[str, Path]]:
    backend = one.backend
    named = {
        "certificate": one.certificate,
        "certificate_key": one.certificate_key,
        "upstream_tls.trust": backend.trust,
        "upstream_tls.crl": backend.crl,
        "upstream_tls.client_certificate.certificate": backend.certificate,
        "upstream_tls.client_certificate.key": backend.certificate_key,
    }
    return ((key, path) for key, path in named.items() if path is not None)


def _roots(one: ServedSite) -> Iterator[tuple[str, str]]:
    if not isinstance(one.site, Site):
        return
    if one.site.root is not None:
        yield "root", one.site.root
    for index, location in enumerate(one.site.locations):
        if location.root is not None:
            yield f"locations[{index}].root", location.root
