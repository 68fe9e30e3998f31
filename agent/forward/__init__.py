"""Forwarders: everything in the record, delivered to whatever else a plant runs.

The record itself is the outbox. A sink has lanes over it (how far it was told of what), which move
only after its acknowledgement; what it refuses is set aside with its own words. Points have times
and keys made of what they are about, so that the same one again changes nothing.

A new kind of sink is one module with settings, `send` and, where its acknowledgement does not mean
that it is on disk, `started`; a new topic is one entry in `topics.TOPICS` and one encoder a sink.
`kinds` is where they are told apart.
"""
