"""Times as the plant's clock shows them; the browser's own zone is never used."""

from datetime import datetime
from zoneinfo import ZoneInfo

from dashboards.catalogue import Catalogue


class PlantZone:
    """Writes UTC instants in the plant's zone; assets/plantzone.js does the same.

    >>> from datetime import UTC
    >>> from dashboards.catalogue import catalogue
    >>> zone = PlantZone("Europe/Berlin", catalogue("en"))
    >>> zone.clock(datetime(2026, 11, 23, 13, 32, 7, tzinfo=UTC))
    '14:32:07'
    """

    def __init__(self, name: str, strings: Catalogue) -> None:
        self.name = name
        self._zone = ZoneInfo(name)
        self._months = strings["time.months"].split()

    def abbreviation(self, at: datetime) -> str:
        """How the zone is called at that time: `CET`, or `UTC+03` where it has no letters."""
        name = at.astimezone(self._zone).tzname() or ""
        return f"UTC{name}" if name[:1] in "+-" else name

    def clock(self, at: datetime) -> str:
        """Time of day with seconds."""
        return f"{at.astimezone(self._zone):%H:%M:%S}"

    def minute(self, at: datetime) -> str:
        """Time of day without seconds."""
        return f"{at.astimezone(self._zone):%H:%M}"

    def day(self, at: datetime) -> str:
        """The date, with its year."""
        local = at.astimezone(self._zone)
        return f"{local.day} {self._months[local.month - 1]} {local.year}"

    def moment(self, at: datetime, now: datetime) -> str:
        """Time of day; with the date where it is another day than now's.

        Where the zone's offset was another than it is now, the offset is written too, so that the
        two 02:30s of a clock change stay apart.
        """
        local, today = at.astimezone(self._zone), now.astimezone(self._zone)
        text = f"{local:%H:%M:%S}"
        if local.date() != today.date():
            text = f"{local.day} {self._months[local.month - 1]} {text}"
            if local.year != today.year:
                text = f"{local.year}, {text}"
        if local.utcoffset() != today.utcoffset():
            offset = f"{local:%z}"
            text = f"{text} {offset[:3]}:{offset[3:5]}"
        return text
