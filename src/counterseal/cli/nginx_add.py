"""``counterseal nginx add``: a site written into counterseal.toml, checked as if a person had written it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from counterseal.authority.site_material import client_cas
from counterseal.cli.common import Run, common
from counterseal.cli.completions import complete_cas
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.compose.ground import nginx_directory
from counterseal.compose.user_nginx import find_include_file, reads_in_http
from counterseal.config.load import parse_settings
from counterseal.config.new_site import site_name_of, with_own_nginx, with_site
from counterseal.errors import ConfigError
from counterseal.files import preview, read_file, write_fileset
from counterseal.fileset import PUBLIC, FileSet, PlannedFile
from counterseal.nginx.choices import ClientCertificates
from counterseal.nginx.target import HTTP_FILE, where_to_include

if TYPE_CHECKING:
    from counterseal.nginx.any_site import AnySite

EPILOG = """\b
Examples:
  counterseal nginx add panel.example.com --upstream 127.0.0.1:9000
  counterseal nginx add panel.example.com --root /srv/panel --group ops --listen 8443
  counterseal nginx add panel.example.com --upstream unix:/run/app.sock --nginx /etc/nginx/nginx.conf
  counterseal nginx add panel.example.com --upstream 127.0.0.1:9000 --client-certificates none

Every other setting of a site is a line in the file: docs/configuration.md.
"""


@click.command(epilog=EPILOG)
@click.argument("server_names", metavar="SERVER_NAME...", nargs=-1, required=True)
@click.option("--name", help="Name of the site.  [default: the first label of the first server name]")
@click.option(
    "--listen", multiple=True, metavar="[ADDRESS:]PORT", default=["443"], help="Where; may be repeated.  [default: 443]"
)
@click.option("--upstream", help="What nginx passes requests to: HOST:PORT, unix:PATH, or a URL.")
@click.option("--root", type=click.Path(path_type=Path), help="Directory of the files that nginx serves.")
@click.option(
    "--client-certificates",
    type=click.Choice([one.value for one in ClientCertificates]),
    help="Whether a client must come with one.  [default: required]",
)
@click.option(
    "--client-ca",
    multiple=True,
    shell_complete=complete_cas,
    help="CA of these clients; may be repeated.  [default: clients]",
)
@click.option("--group", multiple=True, help="Let in clients of this group (OU) only; may be repeated.")
@click.option(
    "--nginx",
    "own_nginx",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Main configuration of your own nginx, which is to serve it.  [default: a private nginx]",
)
@dry_run_option
@common
def add(
    run: Run,
    *,
    server_names: tuple[str, ...],
    name: str | None,
    listen: tuple[str, ...],
    upstream: str | None,
    root: Path | None,
    client_certificates: str | None,
    client_ca: tuple[str, ...],
    group: tuple[str, ...],
    own_nginx: Path | None,
    dry_run: bool,
) -> None:
    """Add a site to counterseal.toml; nginx deploy puts it in force.

    Every line that is in the file stays as it is. A site is added only if the file is right with it, and its client CAs
    exist.
    """
    site = name or site_name_of(server_names[0])
    fields = {
        "server_names": server_names,
        "listen": listen,
        "client_certificates": client_certificates or "",
        "client_cas": client_ca,
        "upstream": upstream or "",
        "root": str(root.absolute()) if root else "",
    }
    path = run.home / "counterseal.toml"
    with run.authority() as authority:
        content = read_file(path) if path.exists() else b""
        settings = parse_settings(content, path)
        settings.require()
        before = text = content.decode()
        if own_nginx is not None:
            text = with_own_nginx(text, settings, own_nginx.absolute(), find_include_file(own_nginx.absolute()))
        text = with_site(text, settings, site, fields, groups=group)
        client_cas(authority, _added(text, path, site))
    _write(run, path, (before, text), site, dry_run=dry_run)


def _added(text: str, path: Path, name: str) -> AnySite:
    """Return the site of this name in the new ``text``; raises ConfigError with every fault of it."""
    settings = parse_settings(text.encode(), path)
    error = settings.error
    if error and error.findings:
        findings = [one._replace(line=None) for one in error.findings]  # those of a text that nobody sees
        raise ConfigError("site.invalid", f"cannot add site {name!r}", findings=findings)
    if error:
        hint = "the file has its sites, or [nginx], in one line: write the site there"
        raise ConfigError("site.unwritable", f"a table cannot be added at the end of {path}", hint=hint)
    return next(one.site for one in settings.sites if one.site.name == name)


def _write(run: Run, path: Path, texts: tuple[str, str], site: str, *, dry_run: bool) -> None:
    """Write the second of the ``texts``, which goes on where the first one ends, and show what it has more."""
    before, text = texts
    mode = path.stat().st_mode & 0o777 if path.exists() else PUBLIC
    target = path.resolve()  # a link stays one
    planned = FileSet((PlannedFile(target.name, text.encode(), mode),))
    added = text.removeprefix(before.rstrip("\n")).lstrip("\n")
    document = {"site": site, "file": str(path), "added": added}
    if dry_run:
        show_dry_run(run, acts=[f"add site {site}"], files=preview(target.parent, planned), document=document)
        return
    write_fileset(target.parent, planned)
    following = _next(run)
    run.show({**document, "next": following}, f"added to {path}:\n\n{added}\nnext: {following}")


def _next(run: Run) -> str:
    """Return what puts the site in force: a deploy, and before it what makes the user's nginx read us."""
    nginx, base = run.settings().nginx, nginx_directory(run.home)
    deploy = "counterseal nginx deploy"
    if nginx.config is None or reads_in_http(nginx.config, base / "current" / HTTP_FILE):
        return deploy
    if nginx.include_file is None or not reads_in_http(nginx.config, nginx.include_file):
        return f"{where_to_include(base, HTTP_FILE)} ({nginx.config}), then: {deploy}"
    return deploy if nginx.include_file.exists() else f"{deploy} --install-include"
