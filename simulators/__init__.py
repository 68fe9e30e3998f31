"""Presses that mold in memory and answer on the real protocols."""
