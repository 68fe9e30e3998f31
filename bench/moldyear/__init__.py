"""A shop's year of molds, walked through the agent's own stages while it is killed."""
