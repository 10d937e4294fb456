"""``counterseal nginx``: its commands by name, so that who only looks loads nothing of what deploys and proves."""

from __future__ import annotations

import click

from counterseal.cli.lazy import Entry, LazyGroup

EPILOG = """\b
Examples:
  counterseal nginx add panel.example.com --upstream 127.0.0.1:9000
  counterseal nginx render
  counterseal nginx deploy
  counterseal nginx rollback
  counterseal nginx lint
"""
COMMANDS = {
    "add": Entry("counterseal.cli.nginx_add:add", "Add a site to counterseal.toml; nginx deploy puts it in force."),
    "deploy": Entry(
        "counterseal.cli.nginx:deploy",
        "Put the sites in force as a new generation, proved; on any failure go back.",
    ),
    "generations": Entry("counterseal.cli.nginx_status:generations", "List the generations that are kept."),
    "lint": Entry("counterseal.cli.nginx_lint:lint", "Find mistakes in mutual TLS that nginx accepts silently."),
    "render": Entry(
        "counterseal.cli.nginx_render:render", "Print the configuration that a deploy would write; keys are left out."
    ),
    "rollback": Entry(
        "counterseal.cli.nginx:rollback",
        "Put an older generation in force again, with the same bytes, and prove it.",
    ),
    "status": Entry("counterseal.cli.nginx_status:status", "Say which nginx runs, and which generation it serves."),
    "stop": Entry(
        "counterseal.cli.nginx_status:stop",
        "Stop the private nginx that a deploy started; a user's own nginx is never stopped.",
    ),
}


@click.group(cls=LazyGroup, sections={"Commands": COMMANDS}, epilog=EPILOG)
def nginx() -> None:
    """Render, deploy and look after what nginx serves."""
