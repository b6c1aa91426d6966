"""The program: command line, composition root, and later its chat.

`main.py` is the only module that may see every surface; `cli.py` only calls it. The command line is
one file per command in `console/`. Read first: `main.py`.
"""
