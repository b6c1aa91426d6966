"""Every outside service Darkroom speaks to; each one is a file that holds one `INTEGRATION`.

Stands beside `web` and `bot` on top of `pipeline.service`, and knows neither of them.
"""
