"""The commands of `darkroom`, one file each, each holding one `COMMAND`.

They read arguments, call `pipeline.service` through `bot.main`, and print; nothing is decided here.
Shared wording and tables are in `wording.py`.
"""
