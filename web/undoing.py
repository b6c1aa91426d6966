"""How an answer says by what it is taken back: a `Link` to the job's undo, as pages and clients
look for it."""

from __future__ import annotations

from web.contract import API


def undo_link(job_id: str | None) -> dict[str, str]:
    """The header; none where nothing was done that could be undone."""
    return {} if job_id is None else {"Link": f'<{API}/jobs/{job_id}/undo>; rel="undo"'}
