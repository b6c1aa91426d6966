"""The one SQLite file: queue, event log and memory of the library.

Exactly one connection writes and checkpoints, with group commit; readers are read-only. All SQL of
the product is here, as plain functions of a connection, one module per table family; the actor or
owner is a parameter of every query a person can cause. Read first: `connection.py`, then `schema/`.
"""
