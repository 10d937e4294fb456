"""counterseal.toml, read in one place: raw tables become frozen settings, and afterwards nobody checks again."""

from __future__ import annotations

from counterseal.config.load import load_settings
from counterseal.config.settings import NginxSettings, Settings

__all__ = ["NginxSettings", "Settings", "load_settings"]
