"""What the pages for storefront developers name is there."""

import re
from pathlib import Path

import pytest

from recsys.auth.access import ROUTE_SCOPES
from recsys.config.shops import Shops

ROOT = Path(__file__).parents[2]
COMING_FROM = ROOT / "docs/coming-from.md"
PAGES = [
    COMING_FROM,
    *(ROOT / name for name in ("docs/quickstart.md", "README.md", "docs/demo-shop.md")),
    *(ROOT / "clients" / name / "README.md" for name in ("python", "typescript")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    missing = [
        link for link in links if "://" not in link and not (page.parent / link).resolve().exists()
    ]
    assert missing == []


def own_names() -> list[str]:
    """The cells about us: the column "here", which is not the first of every table."""
    cells = []
    for table in COMING_FROM.read_text().split("\n\n"):
        rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("| ")]
        if rows:
            column = [cell.strip() for cell in rows[0]].index("here")
            cells += [row[column] for row in rows[1:]]
    return cells


def test_what_other_systems_call_otherwise_is_a_route_or_a_placement_here() -> None:
    text = "\n".join(own_names())
    routes = re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /v1/[^?`]+)", text)
    assert len(routes) >= 9
    templates = {re.sub(r"\{\w+\}", "{id}", route) for route in ROUTE_SCOPES}
    assert set(routes) <= templates
    placements = Shops(None, on_refused=lambda: None).placements_of("shop")
    named = {
        name
        for cell in own_names()
        if "placement" in cell
        for name in re.findall(r"`(\w+)`", cell.partition(", with")[0])
    }
    assert len(named) >= 8
    assert named <= set(placements)
