"""Opens the source adapter that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from marketing_agents.settings import Settings, SettingsError

if TYPE_CHECKING:
    from marketing_agents.ingestion.source import SourceAdapter


class SourceOpener:
    """`open()` makes a fresh adapter: it may cache what it read, and a run must not see another run's cache."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @contextmanager
    def open(self) -> Iterator[SourceAdapter]:
        """The adapter of MARKETING_AGENTS_SOURCE.

        Raises:
            SettingsError: a setting that this adapter needs is not set.
        """
        settings = self._settings
        if settings.source == "bigquery":
            if not settings.source_dataset:
                raise SettingsError(
                    "MARKETING_AGENTS_SOURCE=bigquery needs MARKETING_AGENTS_SOURCE_DATASET (project.dataset with the input tables)"
                )
            from marketing_agents.resources.bigquery import BigQueryClients

            clients = BigQueryClients(project=settings.google_cloud_project, emulator_host=settings.bigquery_emulator_host)
            with clients.open_source(settings.source_dataset) as adapter:
                yield adapter
            return
        from marketing_agents.ingestion.files import FilesSource
        from marketing_agents.ingestion.mapping import load_mapping

        mapping = load_mapping(settings.source_mapping) if settings.source_mapping else None
        yield FilesSource(settings.resolved_source_dir, mapping)
