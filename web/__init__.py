"""The HTTP side of Darkroom; each resource is a file that holds one `RESOURCE`.

Stands beside `integrations` and `bot` on top of `pipeline.service`, and knows neither of them.
"""
