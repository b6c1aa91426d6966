"""The use cases: the only functions that surfaces call.

Each takes the `Actor` first and the open `Core` second, checks, and lets the rooms below do the
work. Command line, scripts, web, chat and home all go through here, so that they agree. Read first:
`process.py`.
"""
