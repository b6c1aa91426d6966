"""What a person types to find files, as a value. Pure: no disk, no state, no clock.

Read `query.py` (the value), `language.py` (from text to it and back), `moments.py` (dates as people
write them), `words.py` (how text is compared), `tagging.py` (which sightings become tags).
"""

__all__: list[str] = []
