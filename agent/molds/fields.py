"""What people may say of a mold, checked: from a form, a command, a file or `sprue.toml`."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from agent.molds.mold import ALLOYS, LEVELS
from agent.molds.resin import ANY, Family, family
from drivers.checked import Checked

SHOTS_MOST = 10**10
"""No count is larger: at a closing a second a mold would take three centuries."""

Name = Annotated[str, Field(min_length=1, max_length=64)]
RevisionName = Annotated[str, Field(min_length=1, max_length=16)]
Shots = Annotated[int, Field(gt=0, le=SHOTS_MOST)]
Text = Annotated[str, Field(max_length=2000)]


def _alloy(text: str) -> str:
    """The alloy as we call it, however it was written.

    >>> _alloy("7075"), _alloy("qc10"), _alloy("Steel")
    ('7075-T6', 'QC-10', 'steel')
    """
    plain = re.sub(r"[^A-Z0-9]", "", text.upper())
    for alloy in ALLOYS:
        known = re.sub(r"[^A-Z0-9]", "", alloy.upper())
        if plain in (known, known.removesuffix("T6"), f"EN AW{known}".replace(" ", "")):
            return alloy
    raise ValueError(f"should be one of {', '.join(ALLOYS)}")


def _by_resin(plan: Mapping[str, int]) -> Mapping[str, int]:
    for key in plan:
        if key != ANY and key not in set(Family) and family(key) is None:
            raise ValueError(
                f"{key!r} should be a resin such as 'PA66-GF30', a family "
                f"({', '.join(Family)}), or '{ANY}'"
            )
    return plan


class RuleFields(Checked):
    """When a level of service is due."""

    level: Annotated[int, Field(ge=min(LEVELS), le=max(LEVELS))]
    shots: Shots | None = None
    days: Annotated[float | None, Field(gt=0, le=36525)] = None
    what: Annotated[str, Field(max_length=200)] = ""

    @model_validator(mode="after")
    def _some(self) -> "RuleFields":
        if self.shots is None and self.days is None:
            raise ValueError("should say 'shots', 'days', or both")
        return self


class MoldFields(Checked):
    """Everything about a mold that people say and may change; None: not said."""

    part: Text | None = None
    description: Text | None = None
    alloy: Annotated[str, AfterValidator(_alloy)] | None = None
    resin: Annotated[str | None, Field(max_length=64)] = None
    cavities: Annotated[int | None, Field(gt=0, le=1024)] = None
    planned_shots: Shots | None = None
    life_plan: Annotated[dict[str, Shots], AfterValidator(_by_resin)] | None = None
    base_shots: Shots | None = None
    service_plan: tuple[RuleFields, ...] | None = None
    expected_cycle_s: Annotated[float | None, Field(gt=0, le=3600)] = None
    wall_mm: Annotated[float | None, Field(gt=0, le=100)] = None
    owner: Text | None = None
    location: Text | None = None
    links: tuple[Text, ...] | None = None

    def said(self) -> dict[str, Any]:
        """The fields that were said, as plain JSON values; None where one was emptied."""
        dumped = self.model_dump(mode="json", exclude_unset=True)
        if dumped.get("service_plan"):
            dumped["service_plan"] = [
                {key: value for key, value in rule.items() if value not in (None, "")}
                for rule in dumped["service_plan"]
            ]
        return dumped


JSON_FIELDS = ("life_plan", "service_plan", "links")
"""Kept as JSON in one column."""
