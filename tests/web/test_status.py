"""What is happening, over HTTP: status, jobs, timeline, graphs, storage, figures for Prometheus."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from pipeline.clock import new_id, timestamp, unix_ms
from pipeline.model import Priority
from pipeline.state import jobs, metrics, queue, spans
from pipeline.state.metrics import Sample
from pipeline.state.progress import Progress
from pipeline.state.queue import NewTask
from tests.kit.spans import span
from tests.service.family import Family

KEYS = {"active_jobs", "queue_length", "processing_speed", "system_resources"}
STRANGER = {"X-Actor": "stranger:editor"}


async def _job(family: Family, files: Sequence[str] = (), kind: str = "optimise") -> str:
    core, now = family.core, family.core.clock.now()
    job_id, owner = new_id(now), family.actor.user_id

    def begin(con: sqlite3.Connection) -> None:
        at = timestamp(now)
        jobs.add(con, job_id, kind, owner_id=owner, actor="test", params={}, at=at)
        ids = [family.ids[path] for path in files]
        told = [NewTask(one, owner, kind, Priority.BACKFILL, job_id) for one in ids]
        queue.enqueue(con, told, now)

    await core.db.write(begin)
    return job_id


async def test_the_two_old_paths_answer_as_they_always_did(
    client: httpx.AsyncClient, family: Family
) -> None:
    """Exactly these paths and keys; an unknown job, or a stranger's, is a 404 document."""
    job_id = await _job(family, family.photos)
    told = (await client.get("/api/processing/status")).json()
    assert told.keys() == KEYS
    assert [one["job"]["id"] for one in told["active_jobs"]] == [job_id]
    assert told["queue_length"] == 3
    progress = (await client.get(f"/api/processing/progress/{job_id}")).json()
    assert (progress["file_count"], progress["processed_count"]) == (3, 0)
    for url, headers in (("nothing", {}), (job_id, STRANGER)):
        answer = await client.get(f"/api/processing/progress/{url}", headers=headers)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"


async def test_both_statuses_tell_the_same(client: httpx.AsyncClient, family: Family) -> None:
    """Every surface asks one service: jobs, queue and speed agree."""
    job_id = await _job(family, family.photos)
    family.core.progress.report(Progress(job_id, 3, 1, files_per_s=2.5, bytes_per_s=10.0))
    old = (await client.get("/api/processing/status")).json()
    new = (await client.get("/api/v2/status")).json()
    for key in ("active_jobs", "queue_length", "processing_speed"):
        assert old[key] == new[key]
    assert new["processing_speed"] == {"files_per_s": 2.5, "bytes_per_s": 10.0}
    assert new["needs"] == []


async def test_a_job_is_listed_opened_and_steered(
    client: httpx.AsyncClient, family: Family
) -> None:
    """Pages of jobs and tasks; pause, resume, priority, cancel; what makes no sense is a 409."""
    first = await _job(family, family.photos)
    second = await _job(family, [], "restudy")
    page = (await client.get("/api/v2/jobs?limit=1")).json()
    assert [one["id"] for one in page["items"]] == [second]
    rest = (await client.get(f"/api/v2/jobs?limit=1&cursor={page['next']}")).json()
    assert [one["id"] for one in rest["items"]] == [first]
    assert rest["next"] is None
    tasks = (await client.get(f"/api/v2/jobs/{first}/tasks?limit=2")).json()
    more = (await client.get(f"/api/v2/jobs/{first}/tasks?cursor={tasks['next']}")).json()
    assert len(tasks["items"] + more["items"]) == 3
    paused = (await client.post(f"/api/v2/jobs/{first}/pause")).json()
    assert (paused["job"]["status"], paused["tasks"]) == ("paused", 3)
    assert (await client.post(f"/api/v2/jobs/{first}/pause")).status_code == 409
    assert (await client.post(f"/api/v2/jobs/{first}/resume")).json()["tasks"] == 3
    changed = await client.patch(f"/api/v2/jobs/{first}", json={"priority": "interactive"})
    assert changed.json()["tasks"] == 3
    assert (await client.post(f"/api/v2/jobs/{first}/retry")).status_code == 409
    assert (await client.post(f"/api/v2/jobs/{first}/cancel")).json()["tasks"] == 3


@pytest.mark.parametrize("deed", ["pause", "resume", "cancel", "retry", "undo"])
async def test_a_strangers_job_is_not_there(
    client: httpx.AsyncClient, family: Family, deed: str
) -> None:
    """T64: foreign and absent answer alike, and nothing changes."""
    job_id = await _job(family, family.photos)
    url = f"/api/v2/jobs/{job_id}/{deed}"
    foreign = await client.post(url, headers=STRANGER)
    absent = await client.post(f"/api/v2/jobs/nothing/{deed}")
    assert (foreign.status_code, absent.status_code) == (404, 404)
    assert (await client.get(f"/api/v2/jobs/{job_id}")).json()["status"] == "running"


async def test_folders_of_the_server_are_for_administrators(
    client: httpx.AsyncClient, family: Family
) -> None:
    """An editor may not take in any folder of the server; a relative path is nobody's."""
    body = {"job": {"type": "process", "paths": [str(family.core.home.inbox)]}}
    refused = await client.post("/api/v2/jobs", json=body, headers=STRANGER)
    assert refused.status_code == 403
    body["job"]["paths"] = ["inbox"]  # type: ignore[index]
    assert (await client.post("/api/v2/jobs", json=body)).status_code == 422
    body["job"]["paths"] = ["/nowhere/at/all"]  # type: ignore[index]
    assert (await client.post("/api/v2/jobs", json=body)).status_code == 404


@pytest.mark.parametrize(
    "job",
    [
        {"type": "nothing"},
        {"type": "optimise"},
        {"type": "optimise", "files": ["a"], "query": "b"},
        {"type": "optimise", "files": ["a"], "unknown": 1},
        {"type": "process", "paths": []},
    ],
)
async def test_what_makes_no_sense_starts_nothing(
    client: httpx.AsyncClient, family: Family, job: dict[str, object]
) -> None:
    """Every bad body gets its problem document, and no job is there afterwards."""
    answer = await client.post("/api/v2/jobs", json={"job": job})
    assert answer.status_code in (404, 422)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (await client.get("/api/v2/jobs")).json()["items"] == []


async def test_the_timeline_tells_job_file_and_stage(
    client: httpx.AsyncClient, family: Family
) -> None:
    """By window, by job and by file, page by page."""
    job_id = await _job(family, family.photos)
    file_id = family.ids[family.photos[0]]
    at = unix_ms(family.core.clock.now())
    base = span(job_id=job_id, file_id=file_id, owner_id=family.actor.user_id)
    told = [replace(base, began_ms=at + n, ended_ms=at + n + 9) for n in range(5)]
    await family.core.db.write(spans.add, told)
    now = family.core.clock.now()
    window = {
        "since": timestamp(now - timedelta(hours=1)),
        "until": timestamp(now + timedelta(hours=1)),
    }
    page = (await client.get("/api/v2/timeline", params={**window, "limit": 3})).json()
    rest = (await client.get("/api/v2/timeline", params={**window, "cursor": page["next"]})).json()
    assert len(page["spans"] + rest["spans"]) == 5
    assert page["spans"][0]["stages"][0]["stage"] == "hash"
    of_job = (await client.get(f"/api/v2/jobs/{job_id}/timeline")).json()
    assert [job["id"] for job in of_job["jobs"]] == [job_id]
    of_file = (await client.get(f"/api/v2/files/{file_id}/timeline")).json()
    assert len(of_file["items"]) == 5
    foreign = await client.get("/api/v2/timeline", params=window, headers=STRANGER)
    assert foreign.json()["spans"] == []
    backwards = {"since": window["until"], "until": window["since"]}
    assert (await client.get("/api/v2/timeline", params=backwards)).status_code == 422


async def test_graphs_storage_and_trends(client: httpx.AsyncClient, family: Family) -> None:
    """Each answers with what is kept, and refuses more than is kept."""
    now = unix_ms(family.core.clock.now()) // 1000
    ran = {"hash": [2, 20, {"13": 2}]}
    told = [Sample(10, now - now % 10 - 10 * n, {"cpu": 5.0, "stages": ran}) for n in range(30)]
    await family.core.db.write(metrics.add, told)
    series = (await client.get("/api/v2/stats/series?seconds=3600")).json()
    assert series["every_s"] == 10
    assert len(series["samples"]) == 30
    stages = (await client.get("/api/v2/stats/stages")).json()["items"]
    assert (stages[0]["stage"], stages[0]["count"]) == ("hash", 60)
    stored = (await client.get("/api/v2/stats/storage")).json()
    assert stored["total"]["files"] == 6
    assert stored["reclaimable"].keys() == {"trash", "look_alikes", "larger_than_needed"}
    assert (await client.get("/api/v2/stats/trends")).json()["runs"] == []
    assert (await client.get("/api/v2/stats/series?seconds=99999999")).status_code == 422


async def test_a_graph_asks_for_what_it_shows(client: httpx.AsyncClient, family: Family) -> None:
    """With `only` come these readings and no others; a name that is none is left out."""
    now = unix_ms(family.core.clock.now()) // 1000
    sample = Sample(10, now - now % 10 - 20, {"cpu": 4.0, "memory": 5, "stages": {}})
    await family.core.db.write(metrics.add, [sample])
    told = (await client.get("/api/v2/stats/series?seconds=600&only=memory,cpu,nothing")).json()
    assert told["samples"] == [{"at": sample.at, "readings": {"memory": 5, "cpu": 4.0}}]


async def test_alive_and_ready_need_no_credentials(stranger: httpx.AsyncClient) -> None:
    """Whoever watches over the process may ask, and is told nothing else."""
    assert (await stranger.get("/healthz")).json() == {"status": "ok"}
    assert (await stranger.get("/readyz")).json() == {"status": "ready"}
    for url in ("/metrics", "/api/v2/system", "/api/v2/status", "/api/processing/status"):
        assert (await stranger.get(url)).status_code == 401


async def test_figures_are_text_that_prometheus_reads(client: httpx.AsyncClient) -> None:
    """Each line is a comment or a sample; every sample was announced with its type."""
    answer = await client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    sample = re.compile(r'(darkroom_\w+)(\{\w+="[^"\n]*"\})? -?[\d.e+]+')
    types: dict[str, str] = {}
    for line in answer.text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            types[name] = kind
        elif not line.startswith("# HELP "):
            found = sample.fullmatch(line)
            assert found, line
            assert found[1] in types
    assert "darkroom_queue_length" in types


async def test_the_system_tells_what_runs(client: httpx.AsyncClient) -> None:
    """Version, workers, receivers, the machine."""
    told = (await client.get("/api/v2/system")).json()
    assert told["version"]
    assert told["resources"]["memory_total"] > 0
