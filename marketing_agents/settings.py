"""All settings, in one validated model. Ecosystem variables keep their own names; ours start with MARKETING_AGENTS_.

A variable of ours that does not exist is an error with a suggestion: a typo must never become a silent default.
"""

from __future__ import annotations

import difflib
import os
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "MARKETING_AGENTS_"
PROJECT_DIR = Path(__file__).resolve().parent.parent


# Read by others than this model: the dbt profile finds its private database through it, `dbt_project/dbt_offline` finds dbt.
NOT_SETTINGS = frozenset({"MARKETING_AGENTS_DBT_DATABASE", "MARKETING_AGENTS_DBT", "MARKETING_AGENTS_DBT_VERSION"})


class SettingsError(ValueError):
    """A setting is unknown or invalid. The message names the variable, what is wrong and what to do."""


class Settings(BaseSettings):
    """Settings of a deployment. See the table in README.md; a test holds the two together."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", populate_by_name=True, env_ignore_empty=True)

    data_dir: Path = Field(default=PROJECT_DIR / ".data", description="Folder of the embedded warehouse, reports, state and scratch files.")
    warehouse: Literal["embedded"] = Field(default="embedded", description="Where rows live: `embedded` (Parquet + DuckDB).")
    source: Literal["files", "bigquery"] = Field(
        default="files", description="Source adapter: `files`, or `bigquery` (input tables in the contract layout in one dataset)."
    )
    source_dir: Path | None = Field(
        default=None, description="Folder of the input files; default: the sample agency under the data folder."
    )
    source_mapping: Path | None = Field(default=None, description="YAML file that maps columns of the source to ours.")
    source_dataset: str | None = Field(
        default=None, description="BigQuery dataset with the input tables (`source=bigquery`), as `project.dataset`."
    )
    advertisers: Path | None = Field(default=None, description="Registry file (YAML); default: the sample agency's registry.")
    policies_dir: Path | None = Field(
        default=None, description="Folder of guardrail policies, one `<advertiser>.yaml` each; default: the sample agency's."
    )
    state_url: SecretStr | None = Field(default=None, description="SQLAlchemy URL of the state store; default: SQLite in the data folder.")
    start_date: date = Field(default=date(2025, 11, 1), description="First day of the daily partitions.")
    backfill_chunk_size: int = Field(default=30, ge=1, le=1000, description="Partitions that one run of a backfill handles.")
    restatement_days: int = Field(
        default=3, ge=0, le=30, description="Past days that ingestion reads again because platforms restate them."
    )
    schedules: Literal["running", "stopped"] = Field(
        default="running", description="State in which morning schedules start; a switch in the UI wins from then on."
    )
    morning_attempts: int = Field(
        default=3, ge=1, le=20, description="Runs that schedules request for one advertiser and day when mornings fail."
    )
    onboarding_days: int = Field(
        default=14, ge=0, le=365, description="Past days that are backfilled by themselves for a new advertiser; 0 = none."
    )
    writer: Literal["auto", "template", "gemini"] = Field(
        default="auto", description="Who writes: `auto` = Gemini when a key or Vertex project is set, else templates."
    )
    model: str = Field(default="gemini-3.8-flash", description="Model used where a domain names none.")
    model_timeout_s: float = Field(default=60.0, gt=0, le=900, description="Longest time one model call may take.")
    max_concurrent_agents: int = Field(default=16, ge=1, le=512, description="Domain agents that run at once in a step.")
    prompt_label: str = Field(default="production", description="Langfuse label of the prompts.")
    domains_dir: Path | None = Field(default=None, description="Folder of domain folders; default: the packaged six.")
    catalogue_dir: Path | None = Field(default=None, description="Folder of rule files; default: the packaged catalogue.")
    overrides: Path | None = Field(
        default=None, description="File, or folder of files, with overrides of rules (`docs/rules.md`); default: none."
    )
    charts: Literal["auto", "always", "never"] = Field(
        default="auto", description="Trend charts in asset metadata: `auto` = only in runs of at most 12 partitions."
    )

    # Names of the ecosystem, used as they are.
    gemini_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("GEMINI_API_KEY", "GOOGLE_API_KEY", "gemini_api_key"),
        description="Key of the Gemini Developer API.",
    )
    use_vertexai: bool = Field(
        default=False,
        validation_alias=AliasChoices("GOOGLE_GENAI_USE_VERTEXAI", "use_vertexai"),
        description="Use Vertex AI in place of the Developer API.",
    )
    google_cloud_project: str | None = Field(
        default=None, validation_alias=AliasChoices("GOOGLE_CLOUD_PROJECT", "google_cloud_project"), description="Google Cloud project."
    )
    google_cloud_location: str | None = Field(
        default=None,
        validation_alias=AliasChoices("GOOGLE_CLOUD_LOCATION", "google_cloud_location"),
        description="Google Cloud region of Vertex AI.",
    )
    gemini_base_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("GOOGLE_GEMINI_BASE_URL", "gemini_base_url"),
        description="Other address of the Gemini API (proxy, test server).",
    )
    bigquery_emulator_host: str | None = Field(
        default=None,
        validation_alias=AliasChoices("BIGQUERY_EMULATOR_HOST", "bigquery_emulator_host"),
        description="Address of a BigQuery emulator.",
    )
    langfuse_public_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("LANGFUSE_PUBLIC_KEY", "langfuse_public_key"), description="Langfuse public key."
    )
    langfuse_secret_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("LANGFUSE_SECRET_KEY", "langfuse_secret_key"), description="Langfuse secret key."
    )
    langfuse_base_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("LANGFUSE_BASE_URL", "LANGFUSE_HOST", "langfuse_base_url"),
        description="Langfuse address.",
    )

    @field_validator(
        "data_dir", "source_dir", "source_mapping", "advertisers", "policies_dir", "domains_dir", "catalogue_dir", "overrides", mode="after"
    )
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value is not None else None

    @field_validator("gemini_api_key", "langfuse_public_key", "langfuse_secret_key", "state_url", mode="after")
    @classmethod
    def _empty_secret_is_none(cls, value: SecretStr | None) -> SecretStr | None:
        return value if value is not None and value.get_secret_value().strip() else None

    @property
    def sample_dir(self) -> Path:
        """Where the sample agency's input files are generated."""
        return self.data_dir / "sample"

    @property
    def resolved_source_dir(self) -> Path:
        return self.source_dir or self.sample_dir / "input"

    @property
    def resolved_advertisers(self) -> Path:
        return self.advertisers or PROJECT_DIR / "marketing_agents" / "sample" / "advertisers.yaml"

    @property
    def resolved_policies_dir(self) -> Path:
        return self.policies_dir or PROJECT_DIR / "marketing_agents" / "sample" / "policies"

    @property
    def resolved_domains_dir(self) -> Path:
        return self.domains_dir or PROJECT_DIR / "marketing_agents" / "domains"

    @property
    def resolved_catalogue_dir(self) -> Path:
        return self.catalogue_dir or PROJECT_DIR / "marketing_agents" / "rules" / "catalogue"

    @property
    def rule_files(self) -> list[Path]:
        """Files that decide what rules say: the catalogue's and the overrides' (a missing one is told when rules are read)."""
        files = sorted(self.resolved_catalogue_dir.glob("*.yaml"))
        if self.overrides is not None:
            files += sorted(self.overrides.glob("*.yaml")) if self.overrides.is_dir() else [self.overrides]
        return [path for path in files if path.is_file()]

    @property
    def resolved_state_url(self) -> str:
        return self.state_url.get_secret_value() if self.state_url else f"sqlite:///{self.data_dir / 'state.db'}"

    @property
    def has_model(self) -> bool:
        """True when the model may be called: by wish, or by `auto` with a key or a Vertex project."""
        configured = self.gemini_api_key is not None or (self.use_vertexai and self.google_cloud_project is not None)
        return self.writer == "gemini" or (self.writer == "auto" and configured)

    @property
    def has_langfuse(self) -> bool:
        return self.langfuse_public_key is not None and self.langfuse_secret_key is not None


def known_variables() -> dict[str, str]:
    """Every environment variable that is read, with its description."""
    variables: dict[str, str] = {}
    for name, info in Settings.model_fields.items():
        alias = info.validation_alias
        names = (
            [c for c in alias.choices if isinstance(c, str) and c.isupper()] if isinstance(alias, AliasChoices) else [PREFIX + name.upper()]
        )
        variables.update(dict.fromkeys(names, info.description or ""))
    return variables


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, with overrides by field name.

    Raises:
        SettingsError: an unknown MARKETING_AGENTS_ variable (with the nearest known name), or an invalid value.
    """
    from pydantic import ValidationError

    known = known_variables()
    for name in os.environ:
        if name.startswith(PREFIX) and name not in known and name not in NOT_SETTINGS:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "see the settings table in README.md"
            raise SettingsError(f"{name}: unknown setting ({hint})")
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        # Inputs are left out: the value of a mistyped secret must not reach a log.
        lines = [f"{_variable_of(str(e['loc'][0]))}: {e['msg']}" for e in error.errors(include_input=False, include_url=False)]
        raise SettingsError("; ".join(lines)) from None


def _variable_of(field: str) -> str:
    if field.isupper():
        return field
    info = Settings.model_fields.get(field)
    alias = info.validation_alias if info else None
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return PREFIX + field.upper()
