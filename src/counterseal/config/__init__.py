"""counterseal.toml, read in one place: raw tables become frozen settings, and afterwards nobody checks again."""
