"""Benchmarks against other programs, each in one run, by CPU time and ratio.

A bench is a module that prints its figures and exits non-zero when it misses its bar. The other
programs are installed by the bench or the system, never by the product. Read: `__main__.py`.
"""
