"""`python -m bot` is the same as `darkroom`."""

from bot.cli import main

main()
