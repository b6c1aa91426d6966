"""What is in a picture: model files, the networks they make, and what each network sees.

Runs in workers. Read `models.py` first (which files there are, and where they come from), then
`networks.py` (from a file to something that runs). A model that is absent is `Absent`, never a
crash: its stage is skipped and asked again another day.
"""
