"""Settings: their types, their defaults and their explanation.

Every setting has a default, is explained where it is declared, and is read once at start.
Nothing below the composition root reads the environment. Read first: `settings.py`.
"""
