"""One file per stage: a pure function over a `Subject` that answers with an outcome.

Stages run in a worker, several in one visit over one read and one decode; they never see state or
library. Adding a stage is adding one file with one `STAGE`. Read first: `contract.py`.
"""
