"""BigQuery's REST API on the wire, as far as reading needs it: datasets, tables, query jobs, paged results, and a token endpoint.

Load jobs, DML in transactions, dry runs and scripted conflicts belong here when the warehouse moves to BigQuery; `bigquery_engine.py` computes.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from marketing_agents_tests.wire.bigquery_engine import (
    BigQueryEngine,
    InvalidQueryError,
    NotFoundError,
    TableName,
    field_of,
    parameters_of,
    rows_of,
)
from marketing_agents_tests.wire.server import Answer, Break, Reply, Request, WireServer

BASE = "/bigquery/v2/projects/"
_DATASET = re.compile(r"^(?P<project>[^/]+)/datasets/(?P<dataset>[^/]+)$")
_TABLES = re.compile(r"^(?P<project>[^/]+)/datasets/(?P<dataset>[^/]+)/tables$")
_TABLE = re.compile(r"^(?P<project>[^/]+)/datasets/(?P<dataset>[^/]+)/tables/(?P<table>[^/]+)$")
_JOBS = re.compile(r"^(?P<project>[^/]+)/jobs$")
_JOB = re.compile(r"^(?P<project>[^/]+)/jobs/(?P<job>[^/]+)$")
_RESULTS = re.compile(r"^(?P<project>[^/]+)/queries/(?P<job>[^/]+)$")

TOKEN = "ya29.fake-bigquery-token"


@dataclass(frozen=True)
class Job:
    """A finished query job, as the client configured it."""

    resource: dict[str, Any]
    rows: pa.Table

    @property
    def query(self) -> dict[str, Any]:
        found: dict[str, Any] = self.resource["configuration"]["query"]
        return found

    @property
    def labels(self) -> dict[str, str]:
        found: dict[str, str] = self.resource["configuration"].get("labels", {})
        return found


class FakeBigQuery(WireServer):
    """`page_rows` is the size of a page of results. With `needs_token`, requests without the token of `/token` are refused."""

    def __init__(self, *, page_rows: int = 1000, needs_token: bool = False) -> None:
        super().__init__()
        self.engine = BigQueryEngine()
        self.jobs: dict[str, Job] = {}
        self._page_rows = page_rows
        self._needs_token = needs_token
        self._numbers = itertools.count(1)

    def load(self, dataset: str, table: str, rows: pa.Table) -> None:
        """Put a table into `project.dataset`."""
        project, _, name = dataset.partition(".")
        self.engine.load(TableName(project, name, table), rows)

    def respond(self, request: Request) -> Answer:
        if request.path == "/token":
            return Reply.of({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})
        if self._needs_token and request.headers.get("authorization") != f"Bearer {TOKEN}":
            return FAULTS["401"]
        path = request.path.removeprefix(BASE)
        try:
            return self._route(request, path)
        except NotFoundError as error:
            return api_error(404, "notFound", str(error))
        except InvalidQueryError as error:
            return api_error(400, "invalidQuery", str(error))

    def _route(self, request: Request, path: str) -> Reply:
        if request.method == "GET" and (m := _DATASET.match(path)):
            self.engine.names_in(m["project"], m["dataset"])
            return Reply.of({"datasetReference": {"projectId": m["project"], "datasetId": m["dataset"]}, "location": "EU"})
        if request.method == "GET" and (m := _TABLES.match(path)):
            names = self.engine.names_in(m["project"], m["dataset"])
            return Reply.of({"tables": [{"tableReference": _reference(n), "type": "TABLE"} for n in names], "totalItems": len(names)})
        if request.method == "GET" and (m := _TABLE.match(path)):
            name = TableName(m["project"], m["dataset"], m["table"])
            fields = [field_of(field) for field in self.engine.table(name).schema]
            return Reply.of({"tableReference": _reference(name), "schema": {"fields": fields}, "type": "TABLE", "location": "EU"})
        if request.method == "POST" and (m := _JOBS.match(path)):
            return Reply.of(self._run(m["project"], request.json()).resource)
        if request.method == "GET" and (m := _JOB.match(path)):
            return Reply.of(self._job(m["job"]).resource)
        if request.method == "GET" and (m := _RESULTS.match(path)):
            return self._results(self._job(m["job"]), request)
        return api_error(404, "notFound", f"the stand-in has no {request.method} {path}")

    def _job(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise NotFoundError("Job", job_id)
        return self.jobs[job_id]

    def _run(self, project: str, body: dict[str, Any]) -> Job:
        query = body["configuration"]["query"]
        rows, read = self.engine.run(query["query"], parameters_of(query.get("queryParameters", [])), project)
        limit = query.get("maximumBytesBilled")
        if limit is not None and read > int(limit):
            raise_limit = f"Query exceeded limit for bytes billed: {limit}. {read} or higher required."
            return self._failed(raise_limit)
        job_id = body.get("jobReference", {}).get("jobId") or f"job-{next(self._numbers)}"
        resource = {
            **body,
            "id": f"{project}:EU.{job_id}",
            "jobReference": {"projectId": project, "jobId": job_id, "location": "EU"},
            "status": {"state": "DONE"},
            "statistics": {"totalBytesProcessed": str(read), "query": {"totalBytesBilled": str(read), "statementType": "SELECT"}},
        }
        self.jobs[job_id] = Job(resource, rows)
        return self.jobs[job_id]

    def _failed(self, message: str) -> Job:
        raise _RefusedError(api_error(400, "bytesBilledLimitExceeded", message))

    def _answer(self, request: Request) -> Answer:
        try:
            return super()._answer(request)
        except _RefusedError as refused:
            return refused.reply

    def _results(self, job: Job, request: Request) -> Reply:
        start = int(request.query.get("pageToken", request.query.get("startIndex", ["0"]))[0])
        asked = int(request.query.get("maxResults", [self._page_rows])[0])
        size = min(asked, self._page_rows)
        page = job.rows.slice(start, size)
        body: dict[str, Any] = {
            "jobReference": job.resource["jobReference"],
            "jobComplete": True,
            "schema": {"fields": [field_of(field) for field in job.rows.schema]},
            "totalRows": str(job.rows.num_rows),
        }
        # maxResults=0 asks for the schema only; with an empty list of rows the client would take it for the first page.
        if size:
            body["rows"] = rows_of(page)
        if size and start + size < job.rows.num_rows:
            body["pageToken"] = str(start + size)
        return Reply.of(body)


class _RefusedError(Exception):
    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


def _reference(name: TableName) -> dict[str, str]:
    return {"projectId": name.project, "datasetId": name.dataset, "tableId": name.table}


def api_error(code: int, reason: str, message: str) -> Reply:
    """Google's error body of the JSON APIs."""
    return Reply.of(
        {"error": {"code": code, "message": message, "errors": [{"reason": reason, "message": message, "domain": "global"}]}}, code
    )


FAULTS: dict[str, Answer] = {
    "401": api_error(401, "authError", "Request had invalid authentication credentials."),
    "403": api_error(403, "accessDenied", "Access Denied: Dataset p1:ads: Permission bigquery.tables.list denied"),
    "quota": api_error(403, "quotaExceeded", "Quota exceeded: Your project exceeded quota for free query bytes scanned."),
    "404": api_error(404, "notFound", "Not found: Dataset p1:ads"),
    "503": api_error(503, "backendError", "Visibility check was unavailable. Please retry the request"),
    "html": Reply(502, b"<html>", content_type="text/html"),
    "hang": Break("hang"),
    "reset": Break("reset"),
}
