"""Presses that mold in memory and answer on the real protocols, with a log of what really happened.

Nothing here knows drivers or agent: they meet over sockets only, so that a mistake in a driver
can't hide in its simulator.

    from simulators.fleet import load
    from simulators.plant import open_plant
"""
