"""How long what is kept is kept, what holds it longer, and how it goes: archived first."""
