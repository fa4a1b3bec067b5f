"""The `bigquery` source: input tables in the contract layout in one BigQuery dataset, read row by row through Arrow.

Values travel as query parameters only; the names in a query are those of the contract and of a dataset name that was checked. A cap on billed
bytes holds for every query. Tables that others load under their own names (transfers, connectors) get adapters of their own beside this file.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from marketing_agents.ingestion.bigquery_arrivals import ACCOUNTS_TABLE, arrivals_of, arrivals_query
from marketing_agents.ingestion.source import Arrivals, RawRows, SourceError, TableProblem
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.contract import TableContract, TableKind

if TYPE_CHECKING:
    import pyarrow as pa
    from google.api_core.retry import Retry
    from google.cloud import bigquery

DEFAULT_MAXIMUM_BYTES_BILLED = 10 * 2**30
READ_ROLES = "roles/bigquery.dataViewer on the dataset and roles/bigquery.jobUser on the project"

_DATASET = re.compile(r"^(?P<project>(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9])\.(?P<dataset>[A-Za-z0-9_]{1,1024})$")
_REQUEST_TIMEOUT_S = 30.0


class BigQuerySource:
    """A `SourceAdapter` on one dataset.

    Args:
        client_factory: makes the client; called once, at the first use.
        dataset: `project.dataset`.
        maximum_bytes_billed: a query that would bill more is refused by BigQuery before it runs.
        timeout_s: longest time for one query with all retries.

    Raises:
        SourceError: the dataset's name is not `project.dataset`.
    """

    def __init__(
        self,
        client_factory: Callable[[], bigquery.Client],
        dataset: str,
        *,
        maximum_bytes_billed: int = DEFAULT_MAXIMUM_BYTES_BILLED,
        timeout_s: float = 300.0,
    ) -> None:
        if not _DATASET.match(dataset):
            raise SourceError(f"MARKETING_AGENTS_SOURCE_DATASET: {dataset!r} is not of the form project.dataset")
        self._dataset = dataset
        self._client_factory = client_factory
        self._maximum_bytes_billed = maximum_bytes_billed
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._opened: bigquery.Client | None = None
        self._columns: dict[str, dict[str, str]] = {}

    @property
    def name(self) -> str:
        return "bigquery"

    def tables(self) -> frozenset[str]:
        """Input tables that the dataset has, by one listing."""
        with self._explained(self._dataset):
            found = {item.table_id for item in self._client().list_tables(self._dataset, timeout=_REQUEST_TIMEOUT_S, retry=self._retry())}
        return frozenset(INPUT_TABLES) & found

    def read(self, contract: TableContract, advertiser_id: str, start: date, end: date) -> RawRows:
        """See `SourceAdapter.read`. Rows are in the order of the contract's key; a row number is the position in that order."""
        from google.cloud import bigquery

        place = f"{self._dataset}.{contract.name}"
        columns = self._columns_of(contract)
        parameters = [bigquery.ScalarQueryParameter("advertiser_id", "STRING", advertiser_id)]
        if contract.kind is TableKind.DAILY:
            parameters += [bigquery.ScalarQueryParameter("start", "DATE", start), bigquery.ScalarQueryParameter("end", "DATE", end)]
        labels = {"table": _label(contract.name), "advertiser": _label(advertiser_id)}
        table = self._rows(query_text(self._dataset, contract, columns), parameters, labels, place)
        ignored = tuple(name for name in self._columns[contract.name] if name not in contract.by_name)
        return RawRows(table, place, ignored, lambda: list(range(1, table.num_rows + 1)))

    def arrivals(self, contracts: Sequence[TableContract], advertiser_ids: Collection[str], start: date, end: date) -> Arrivals:
        """See `SourceAdapter.arrivals`. One query job; what tables there are and which columns they have is asked once."""
        from google.cloud import bigquery

        found = self.tables()
        columns: dict[str, tuple[str, ...]] = {}
        unusable = {c.name: f"{self._dataset} has no table {c.name}" for c in contracts if c.name not in found}
        for contract in [*contracts, INPUT_TABLES[ACCOUNTS_TABLE]]:
            if contract.name in found:
                try:
                    columns[contract.name] = self._columns_of(contract)
                except TableProblem as problem:
                    unusable[contract.name] = str(problem)
        if not columns.keys() - {ACCOUNTS_TABLE}:
            return Arrivals((), (), unusable)
        parameters = [
            bigquery.ArrayQueryParameter("advertiser_ids", "STRING", sorted(advertiser_ids)),
            bigquery.ScalarQueryParameter("start", "DATE", start),
            bigquery.ScalarQueryParameter("end", "DATE", end),
        ]
        rows = self._rows(arrivals_query(self._dataset, columns), parameters, {"query": "arrivals"}, self._dataset)
        return arrivals_of(rows, unusable)

    def _rows(self, sql: str, parameters: Sequence[Any], labels: dict[str, str], place: str) -> pa.Table:
        """The rows of one query job."""
        from google.cloud import bigquery

        config = bigquery.QueryJobConfig(
            query_parameters=parameters,
            maximum_bytes_billed=self._maximum_bytes_billed,
            labels={"app": "marketing-agents", **labels},
        )
        with self._explained(place):
            job = self._client().query(sql, job_config=config, timeout=_REQUEST_TIMEOUT_S, retry=self._retry())
            # The Storage API is another service with another role; a day of one advertiser does not need it.
            return job.result(timeout=self._timeout_s).to_arrow(create_bqstorage_client=False)

    def close(self) -> None:
        """Close the client's connections, if it was ever made."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()  # type: ignore[no-untyped-call]
                self._opened = None

    def _client(self) -> bigquery.Client:
        with self._lock:
            if self._opened is None:
                self._opened = self._client_factory()
            return self._opened

    def _retry(self) -> Retry:
        from google.cloud.bigquery.retry import DEFAULT_RETRY

        return DEFAULT_RETRY.with_timeout(self._timeout_s)

    def _columns_of(self, contract: TableContract) -> tuple[str, ...]:
        """Columns of the contract that the table has. Those it lacks are validation's to judge, except the ones that select rows."""
        place = f"{self._dataset}.{contract.name}"
        if contract.name not in self._columns:
            with self._explained(place):
                found = self._client().get_table(place, timeout=_REQUEST_TIMEOUT_S, retry=self._retry())
            self._columns[contract.name] = {field.name: field.field_type for field in found.schema}
        types = self._columns[contract.name]
        selecting = {"advertiser_id": "STRING"} | ({"date": "DATE"} if contract.kind is TableKind.DAILY else {})
        for column, expected in selecting.items():
            if types.get(column) != expected:
                raise TableProblem(f"{place}: column {column} must be {expected}, found {types.get(column, 'no such column')}")
        return tuple(name for name in contract.column_names if name in types)

    @contextmanager
    def _explained(self, place: str) -> Iterator[None]:
        """Google's errors, said in terms of what to do."""
        from google.api_core import exceptions
        from google.auth.exceptions import GoogleAuthError
        from requests.exceptions import RequestException

        try:
            yield
        except exceptions.NotFound as error:
            if place != self._dataset and "Not found: Dataset" not in error.message:
                raise TableProblem(f"{place}: no such table") from error
            raise SourceError(
                f"BigQuery dataset {self._dataset} does not exist; set MARKETING_AGENTS_SOURCE_DATASET=project.dataset"
            ) from error
        except exceptions.Forbidden as error:
            if _reason(error) in ("quotaExceeded", "rateLimitExceeded"):
                # A rate is over in seconds; a quota comes back at its reset or when somebody raises it.
                is_rate = _reason(error) == "rateLimitExceeded"
                raise SourceError(f"{place}: a BigQuery quota is used up: {error.message}", is_transient=is_rate) from error
            raise SourceError(f"{place}: no permission; the account needs {READ_ROLES}: {error.message}") from error
        except exceptions.Unauthorized as error:
            raise SourceError(f"{place}: BigQuery does not accept the credentials; {_LOGIN}") from error
        except GoogleAuthError as error:
            raise SourceError(f"{place}: no usable Google credentials; {_LOGIN}: {error}") from error
        except exceptions.BadRequest as error:
            if _reason(error) == "bytesBilledLimitExceeded":
                limit_gib = self._maximum_bytes_billed / 2**30
                raise SourceError(
                    f"{place}: the query would bill more than {limit_gib:.3g} GiB; partition the table by date or raise the limit"
                ) from error
            raise TableProblem(f"{place}: {error.message}") from error
        except (exceptions.GoogleAPICallError, exceptions.RetryError, RequestException, TimeoutError, ConnectionError) as error:
            raise SourceError(
                f"{place}: BigQuery is not reached ({type(error).__name__}: {error}); the run can be repeated", is_transient=True
            ) from error


_LOGIN = "run `gcloud auth application-default login` or set GOOGLE_APPLICATION_CREDENTIALS"


def query_text(dataset: str, contract: TableContract, columns: tuple[str, ...]) -> str:
    """The one query of a read. Parameters: @advertiser_id, and @start and @end for DAILY tables.

    Rows without a date come along: they are a problem to report, not to drop.
    """
    selected = ", ".join(f"`{name}`" for name in columns)
    order = ", ".join(f"`{name}`" for name in contract.key if name in columns)
    days = " AND (`date` BETWEEN @start AND @end OR `date` IS NULL)" if contract.kind is TableKind.DAILY else ""
    # Names only: the dataset was checked, the rest comes from our contracts.
    return f"SELECT {selected} FROM `{dataset}`.`{contract.name}` WHERE `advertiser_id` = @advertiser_id{days} ORDER BY {order}"  # noqa: S608


def _label(value: str) -> str:
    """A job label: lower case letters, digits, - and _, at most 63."""
    return re.sub(r"[^a-z0-9_-]", "_", value.lower())[:63]


def _reason(error: object) -> str:
    errors = getattr(error, "errors", None) or [{}]
    return str(errors[0].get("reason", "")) if isinstance(errors[0], dict) else ""
