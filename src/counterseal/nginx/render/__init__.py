"""Sites and their certificates to the files that nginx reads; pure, and the same files for the same values."""

from counterseal.nginx.render.generation import render
from counterseal.nginx.render.layout import Layout
from counterseal.nginx.render.snippets import render_snippets

__all__ = ["Layout", "render", "render_snippets"]
