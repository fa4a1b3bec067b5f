"""The BigQuery client as a Dagster resource: dagster-gcp's, or one for an emulator when BIGQUERY_EMULATOR_HOST is set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dagster import ConfigurableResource
from pydantic import Field

from marketing_agents.ingestion.bigquery import DEFAULT_MAXIMUM_BYTES_BILLED, BigQuerySource
from marketing_agents.ingestion.source import SourceError

if TYPE_CHECKING:
    from google.cloud import bigquery


class BigQueryClients(ConfigurableResource):  # type: ignore[type-arg]
    """Makes BigQuery clients. Credentials are Google's application default; an emulator gets none."""

    project: str | None = Field(default=None, description="Project that runs and pays for queries; default: that of the credentials.")
    location: str | None = Field(default=None, description="BigQuery location of the datasets; default: BigQuery finds it.")
    emulator_host: str | None = Field(default=None, description="Address of an emulator, e.g. http://127.0.0.1:9050.")

    @contextmanager
    def get_client(self) -> Iterator[bigquery.Client]:
        """A client that is closed at the end. No request is made by opening it.

        Raises:
            SourceError: there are no usable Google credentials.
        """
        client = self._emulator_client() if self.emulator_host else self._cloud_client()
        try:
            yield client
        finally:
            client.close()  # type: ignore[no-untyped-call]

    def _cloud_client(self) -> bigquery.Client:
        from dagster_gcp import BigQueryResource
        from google.auth.exceptions import GoogleAuthError

        try:
            with BigQueryResource(project=self.project, location=self.location).get_client() as client:
                return client
        except GoogleAuthError as error:
            message = (
                "BigQuery: no usable Google credentials; run `gcloud auth application-default login` or set GOOGLE_APPLICATION_CREDENTIALS"
            )
            raise SourceError(message) from error

    def _emulator_client(self) -> bigquery.Client:
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import bigquery

        assert self.emulator_host is not None
        host = self.emulator_host if "://" in self.emulator_host else f"http://{self.emulator_host}"
        credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
        return bigquery.Client(
            project=self.project or "emulator", location=self.location, credentials=credentials, client_options={"api_endpoint": host}
        )

    @contextmanager
    def open_source(self, dataset: str, *, maximum_bytes_billed: int = DEFAULT_MAXIMUM_BYTES_BILLED) -> Iterator[BigQuerySource]:
        """The `bigquery` source on a dataset (`project.dataset`); its client is made at the first use and closed at the end."""
        from contextlib import ExitStack

        with ExitStack() as stack:
            yield BigQuerySource(lambda: stack.enter_context(self.get_client()), dataset, maximum_bytes_billed=maximum_bytes_billed)
