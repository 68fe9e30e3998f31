"""Text can be read on every ground it stands on, in both themes (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from importlib.resources import files

import pytest

Colour = tuple[float, float, float, float]

CSS = (files("dashboards") / "assets" / "tokens.css").read_text(encoding="utf-8")
THEMES = ("light", "dark")


def colour(text: str) -> Colour:
    """Red, green, blue from 0 to 1, and opacity."""
    if text.startswith("#"):
        red, green, blue = (int(text[n : n + 2], 16) / 255 for n in (1, 3, 5))
        return red, green, blue, 1.0
    found = re.fullmatch(r"rgb\((\d+) (\d+) (\d+) / ([\d.]+)%\)", text)
    assert found, text
    red, green, blue, opacity = (float(group) for group in found.groups())
    return red / 255, green / 255, blue / 255, opacity / 100


def tokens(theme: str) -> dict[str, Colour]:
    """Every colour token of one theme."""
    pairs = re.findall(
        r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}|rgb\([^)]+\)), (#[0-9a-f]{6}|rgb\([^)]+\))\);",
        CSS,
    )
    return {name: colour(dark if theme == "dark" else light) for name, light, dark in pairs}


def over(top: Colour, ground: Colour) -> Colour:
    """A colour on a ground."""
    mixed = [top[n] * top[3] + ground[n] * (1 - top[3]) for n in range(3)]
    return mixed[0], mixed[1], mixed[2], 1.0


def contrast(one: Colour, two: Colour) -> float:
    """Contrast ratio of two opaque colours."""

    def luminance(of: Colour) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in of[:3]]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(one), luminance(two)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ink", ["ink", "ink-2", "ink-3"])
@pytest.mark.parametrize("ground", ["bg", "panel", "raised"])
def test_text_can_be_read(theme: str, ink: str, ground: str) -> None:
    of = tokens(theme)

    assert contrast(of[ink], of[ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ink", ["ink", "ink-2", "ink-3"])
@pytest.mark.parametrize("ground", ["panel", "raised"])
def test_text_of_a_lost_page_can_be_read(theme: str, ink: str, ground: str) -> None:
    of = tokens(theme)

    assert contrast(of[ink], over(of["hatch"], of[ground])) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ink", ["ink", "ink-2"])
def test_text_on_a_tile_without_data_can_be_read(theme: str, ink: str) -> None:
    of = tokens(theme)

    assert contrast(of[ink], over(of["hatch"], of["sunken"])) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("ink", "ground"),
    [("p1-on", "p1"), ("p2-on", "p2"), ("p3-on", "p3"), ("accent-ink", "accent")]
    + [(f"p{n}-ink", f"p{n}-soft") for n in (1, 2, 3)],
)
def test_text_on_a_filled_ground_can_be_read(theme: str, ink: str, ground: str) -> None:
    of = tokens(theme)

    assert contrast(of[ink], of[ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("edge", ["ctl-line", "p2-edge"])
def test_the_edge_of_a_control_can_be_seen(theme: str, edge: str) -> None:
    assert contrast(tokens(theme)[edge], tokens(theme)["raised"]) >= 3.0
