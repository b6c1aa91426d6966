"""Conversions done once, when a model is fetched: from what a package holds to what we run.

A module here has one `convert(sources, target)`: `sources` are the checked members by their path
in the package, `target` is the file to write. The same sources always give the same bytes, so that
the manifest can pin the result. Only numpy and the standard library are used.
"""
