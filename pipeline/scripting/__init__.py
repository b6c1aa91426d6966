"""Darkroom from a Python script: the same code as the command line, as small synchronous classes.

All failures are `DarkroomError`s. Examples: docs/scripting.md. Read first: `manager.py`.
"""

from pipeline.errors import DarkroomError
from pipeline.scripting.analyzer import AIContentAnalyzer
from pipeline.scripting.manager import AdvancedFileManager, Processed

__all__ = ["AIContentAnalyzer", "AdvancedFileManager", "DarkroomError", "Processed"]
