"""Where media is decoded: child processes with limits, one per slot.

`contract` is the small promise, `local` keeps it on this machine, `child` is what runs in the
process. A killed child costs one attempt of one visit and nothing else. Read first: `contract.py`.
"""
