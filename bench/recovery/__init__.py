"""What every fault of the menu does to the record: lost, wrong, blind, and how soon it is over.

    python -m bench.recovery --fault half_open --protocol modbus
    python -m bench.recovery --out docs/reference/recovery.md

Each fault on each protocol is a trial of its own: a plant with the afflicted press and a healthy
neighbor, the whole agent with its default settings, and the record held against the truth log.
"""
