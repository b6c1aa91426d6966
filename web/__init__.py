"""The HTTP side: REST API, live updates and the dashboard, on Quart, over `pipeline.service`.

Read `contract.py` first: a resource is one file in `resources/` that declares its routes with what
they take, give and need; everything that all routes share (who asks, rights, rate limits, bodies,
problem documents, paging, idempotency, OpenAPI) is done once, around them, in `endpoint.py`.
"""
