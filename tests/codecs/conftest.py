"""Fixtures of the codecs' tests."""

from __future__ import annotations

from tests.kit.corpus import corpus

__all__ = ["corpus"]
