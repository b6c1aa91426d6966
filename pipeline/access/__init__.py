"""Who may do what: one check for every surface, and what it stands on.

`rights` is the check itself: the words for what can be done, what each role may do, and `require`.
Every service asks it; no surface decides by itself. Read `rights.py` first.
"""
