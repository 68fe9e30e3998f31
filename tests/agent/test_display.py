"""What the overview says of shots and records agrees, whatever a press does."""

from zoneinfo import ZoneInfo

from agent.display import Display, first_tile
from agent.live import Plant, Site, Today
from agent.molds.moldlife import MoldLife
from agent.molds.shelf import Shelf
from agent.today import Tally
from drivers.modbus import ModbusSettings
from tests.agent.makers import START, cycle, ledger


def test_closings_without_plastic_make_no_difference_between_shots_and_records() -> None:
    settings = ModbusSettings(name="IMM-01", driver="modbus", host="127.0.0.1", map="retrofit-plc")
    plant = Plant(Site(name="Plant 2", timezone="UTC"), [first_tile(settings)], lambda: START)
    display = Display("IMM-01", plant, MoldLife(Shelf(molds={}, took={})))
    tally = Tally(Today(since=START), ZoneInfo("UTC"))
    book = ledger()

    for counter, closing in enumerate(["shot", "dry", "dry", "shot", "shot"], 1):
        entry = book.take(cycle(counter, 24.0 * counter, closing=closing))
        display.booked(entry)
        tally.add(entry)
    entry = book.take(cycle(8, 24.0 * 8))  # two that nobody saw
    display.booked(entry)
    tally.add(entry)

    tile, today = plant.tile("IMM-01"), tally.now(START, [])
    assert (tile.shots - tile.cycles, today.unobserved) == (2, 2)
    assert (tile.cycles, today.cycles) == (4, 4)
    assert today.shots == today.cycles + today.unobserved
