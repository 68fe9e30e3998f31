"""Draws pages: templates, strings and zone of one plant, and what a page's script starts from."""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from agent.live import Plant
from dashboards.assets import Assets
from dashboards.catalogue import Catalogue, catalogue
from dashboards.face import POINTER_SPAN, shown, shown_long
from dashboards.figures import number
from dashboards.manner import manner
from dashboards.plantzone import PlantZone
from dashboards.spark import spark
from dashboards.visitor import visitor
from dashboards.wire import SCHEMA, epoch

SCRIPTED = frozenset(
    {"tile", "link", "needs", "time", "press", "life", "today", "phase", "state", "site", "dots"}
)
"""Groups of strings that scripts say; the others are in the page already."""


class Renderer:
    """Fills in the templates of one plant's pages.

    Args:
        plant: What they show.
        assets: Their static files.
        recorded: Whether there is a record, so that there are pages about it.
    """

    def __init__(self, plant: Plant, assets: Assets, *, recorded: bool) -> None:
        self.plant = plant
        self.build = _digest(version("sprue"), assets.digest, str(SCHEMA), *_templates().values())
        self._jinja = _environment(assets)
        self._recorded = recorded

    @property
    def layout(self) -> str:
        """Digest of the machines and their order: a page that shows others loads itself anew."""
        return _digest(*(f"{tile.machine}\n{tile.hall}" for tile in self.plant.tiles))

    @property
    def strings(self) -> Catalogue:
        """The words of whoever asks."""
        return catalogue(manner().language)

    @property
    def zone(self) -> PlantZone:
        """The clock of whoever asks: the plant's, unless they chose another."""
        return PlantZone(manner().timezone or self.plant.site.timezone, self.strings)

    def page(
        self, template: str, *, now: datetime, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """One page; every template knows `site`, `zone`, `now` and `given`."""
        places: Sequence[int] = values.pop("places", ())
        whole_plant: bool = values.pop("whole_plant", False)
        values = {"theme": None, "waiting": 0, "trouble": shown_long(self.plant.trouble)} | values
        html = self._jinja.get_template(template).render(
            site=shown(self.plant.site.name),
            zone=self.zone,
            now=now,
            recorded=self._recorded,
            given=self._given(now, places, whole_plant=whole_plant),
            pointer_percent=round(100 * POINTER_SPAN),
            **values,
        )
        return HTMLResponse(html, status)

    def again(self) -> HTMLResponse:
        """A page that asks for itself anew, at the same address."""
        html = self._jinja.get_template("again.html").render(site=shown(self.plant.site.name))
        return HTMLResponse(html)

    def sorry(self, status: int, sentence: str) -> HTMLResponse:
        """A page that says why there is none at this address."""
        html = self._jinja.get_template("error.html").render(
            site=shown(self.plant.site.name), sentence=sentence, theme=None
        )
        return HTMLResponse(html, status)

    def _given(self, now: datetime, places: Sequence[int], *, whole_plant: bool) -> Markup:
        """What the page's script starts from, as JSON that can't end its element."""
        given = {
            "build": self.build,
            "layout": self.layout,
            "schema": SCHEMA,
            "zone": self.zone.name,
            "abbreviation": self.zone.abbreviation(now),
            "language": self.strings.language,
            "decimal": manner().decimal,
            "now": epoch(now),
            "news": self.plant.news.version,
            "whole_plant": whole_plant,
            "places": list(places),
            "strings": {
                key: text for key, text in self.strings.items() if key.partition(".")[0] in SCRIPTED
            },
        }
        return as_json(given)


def as_json(value: Any) -> Markup:
    """JSON for a script, that can't end its element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def _environment(assets: Assets) -> Environment:
    templates = _templates()
    jinja = Environment(
        loader=FunctionLoader(templates.get),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.globals |= {"t": _say, "count": _count, "asset": assets.url, "spark": spark}
    jinja.filters["long"] = shown_long
    jinja.globals |= {"number": number, "visitor": visitor, "manner": manner}
    return jinja


_UNPRINTABLE = re.compile(
    r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)


def _clean(value: object) -> object:
    """Whatever comes from outside, without what would act on the page's text: the last net."""
    if isinstance(value, str) and not isinstance(value, Markup) and not value.isprintable():
        return _UNPRINTABLE.sub("�", value)
    return value


def _say(key: str, **values: object) -> str:
    return catalogue(manner().language).say(key, **values)


def _count(key: str, n: int, **values: object) -> str:
    return catalogue(manner().language).count(key, n, **values)


def _templates() -> dict[str, str]:
    folder = files("dashboards") / "templates"
    return {entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir()}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:12]
