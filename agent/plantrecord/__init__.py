"""The plant record: the record's tables in PostgreSQL, filled by many agents, read as one.

Each agent's own record stays the truth of what it saw. What it forwards is taken there by natural
keys, so that the same again changes nothing. Decision 0006 says what is kept where.
"""
