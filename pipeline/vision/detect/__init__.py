"""Things in a picture: the 80 kinds of the COCO collection, or those of a family's own detector.

Read `things.py` first: two small detectors look at the same picture, and `fusion` says how likely
it is that both are right. Runs in workers.
"""
