"""An agent that is killed again and again, and what its record must be each time."""
