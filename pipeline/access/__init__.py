"""Who may do what: one check for every surface, and what it stands on.

`rights` is the check itself: the words for what can be done, what each role may do, and `require`.
Every service asks it; no surface decides by itself. `reach` says to whose things somebody may do
it, and `why` tells the reason in a sentence. The rest is how somebody proves who they are:
passwords, second factors, opaque and signed tokens, other login providers, and `door`, which keeps
the answers at hand. No secret is stored that could be used if the database were read. Read
`rights.py` first, then `door.py`.
"""
