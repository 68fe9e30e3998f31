"""Pages that are printed from code are what the code prints; what README names is there."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
)


@pytest.mark.parametrize("name", ["signals", "faults", "influxdb", "schema", "api"])
def test_a_page_that_is_printed_from_code_is_what_the_code_prints(name: str) -> None:
    printed = runpy.run_path(str(ROOT / "scripts" / f"{name}.py"))["page"]()

    assert (ROOT / f"docs/reference/{name}.md").read_text(encoding="utf-8") == printed


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_link_leads_somewhere(page: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)", text)

    missing = [
        target
        for target in targets
        if not target.startswith(("http://", "https://"))
        and not (ROOT / page.parent / target).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_toml_example_is_toml(page: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")

    for example in re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL):
        tomllib.loads(example)


def test_every_make_target_that_people_are_told_of_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    told = {
        target
        for page in ("README.md", "CONTRIBUTING.md")
        for target in re.findall(r"^make (\w+)", (ROOT / page).read_text(encoding="utf-8"), re.M)
    }

    assert told >= {"demo", "test", "check", "bench"}
    assert all(re.search(rf"^{target}:", makefile, re.M) for target in told)
