"""From sites and their material to the files of a generation."""

from __future__ import annotations

from counterseal.nginx.render.layout import Layout
from counterseal.nginx.render.sites import render

__all__ = ["Layout", "render"]
