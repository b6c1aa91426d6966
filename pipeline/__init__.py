"""What happens to a file, and the state that remembers it.

Holds the way of a file from a path somebody pointed at to a safe, sorted place in the library,
and knows nothing of chat, web or home. Promises that at every instant each photo exists, whole and
verified, in at least one place. Read first: `model.py` (the nouns), then `work/flow.py` (the way).
"""
