"""Stages that misbehave on request: what a file wants done to its reader stands at its end."""
