"""The page about nginx and the table in the source say the same."""

from __future__ import annotations

from pathlib import Path

from counterseal.nginx.render.headers import STANDARD
from counterseal.nginx.site import MAP_ONLY_BEYOND
from counterseal.nginx.version import FEATURES, OLDEST, Feature

PAGE = (Path(__file__).parents[3] / "docs" / "nginx.md").read_text()


def row(feature: Feature) -> str:
    """Return the row of a feature as the page has it."""
    bounds = [f"nginx {'.'.join(map(str, feature.nginx))}"]
    if feature.openssl:
        bounds.append(f"OpenSSL {'.'.join(map(str, feature.openssl))}")
    if feature.module:
        bounds.append(f"`{feature.module}`")
    return f"| `{feature.name}` | {', '.join(bounds)} | {feature.reason} |"


def test_every_feature_is_on_the_page_with_its_reason() -> None:
    """No row more, no row less, word for word."""
    table = PAGE.partition("<!-- features -->\n")[2].partition("\n<!-- /features -->")[0]
    assert table.splitlines()[2:] == [row(feature) for feature in FEATURES]


def test_the_page_names_the_bounds_of_the_source() -> None:
    """The oldest nginx, the size beyond which the map decides alone, the headers."""
    assert "nginx that is served is 1.19.4." in PAGE
    assert OLDEST == (1, 19, 4)
    assert f"up to {MAP_ONLY_BEYOND:,} entries" in PAGE
    assert all(f"`{name}`" in PAGE or f"`-{name.removeprefix('X-SSL-Client-')}`" in PAGE for name in STANDARD)
