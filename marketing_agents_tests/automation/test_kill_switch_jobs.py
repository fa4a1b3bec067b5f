"""The kill switch from the Launchpad: described fields, one clear failure for a wrong one, and what is in force on the run's page."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg
import pytest
import yaml

from marketing_agents.automation.kill_switch_jobs import PauseConfig, ResumeConfig, build_kill_switch_jobs
from marketing_agents.resources.platform import RegistryFile
from marketing_agents.state.kill_switch import KillSwitch
from marketing_agents.state.store import StateStore


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as found:
        yield found


@pytest.fixture
def switch(tmp_path):
    state = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    yield KillSwitch(state)
    state.close()


@pytest.fixture
def launch(tmp_path, instance):
    """Runs one of the two jobs as the Launchpad does: (result, metadata of its step)."""
    path = tmp_path / "advertisers.yaml"
    entries = [{"id": "acme", "name": "Acme", "time_zone": "Asia/Kolkata"}, {"id": "zeta", "name": "Zeta", "time_zone": "UTC"}]
    path.write_text(yaml.safe_dump({"advertisers": entries}), encoding="utf-8")
    state = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    resources = {"registry": RegistryFile(path), "state": state}
    definitions = dg.Definitions(
        jobs=build_kill_switch_jobs(),
        resources={name: dg.ResourceDefinition(resource_fn=lambda _, thing=thing: thing) for name, thing in resources.items()},
    )

    def run(name: str, **config: str) -> tuple[dg.ExecuteInProcessResult, dict]:
        result = definitions.resolve_job_def(f"{name}_advertiser").execute_in_process(
            run_config={"ops": {name: {"config": config}}}, instance=instance, raise_on_error=False
        )
        outputs = [e for e in result.all_events if e.event_type_value == "STEP_OUTPUT"]
        return result, {k: v.value for e in outputs for k, v in e.step_output_data.metadata.items()}

    yield run
    state.close()


def now() -> datetime:
    return datetime.now(UTC)


def failure_of(result) -> str:
    [event] = [e for e in result.all_events if e.event_type_value == "STEP_FAILURE"]
    return event.step_failure_data.user_failure_data.description


def test_a_pause_holds_one_advertiser_and_the_run_page_says_so(launch, switch):
    result, shown = launch("pause", advertiser="acme", why="wrong budgets", by="jo", until="3d")
    assert result.success
    [(advertiser_id, entry)] = switch.paused(now()).items()
    assert (advertiser_id, entry.who, entry.why) == ("acme", "jo", "wrong budgets")
    assert shown["in_force"].startswith("acme is paused by jo until ")
    assert "in Asia/Kolkata (" in shown["in_force"]
    assert shown["history"].startswith("| advertiser | when | what | who | why | until |")
    assert "wrong budgets" in shown["history"]


def test_a_resume_lets_it_go_and_the_history_keeps_both(launch, switch):
    launch("pause", advertiser="acme", why="wrong budgets", by="jo")
    result, shown = launch("resume", advertiser="acme", why="corrected", by="kim")
    assert result.success
    assert switch.paused(now()) == {}
    assert shown["in_force"] == "acme is not paused"
    rows = [line.split(" | ") for line in shown["history"].splitlines()[2:]]
    assert [(row[2], row[3], row[4]) for row in rows] == [("resume", "kim", "corrected"), ("pause", "jo", "wrong budgets")]


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("pause", {"advertiser": "acne", "why": "x", "by": "jo"}, "unknown advertiser 'acne'; the registry has: acme, zeta"),
        ("pause", {"advertiser": "", "why": "", "by": ""}, "unknown advertiser ''"),
        ("pause", {"advertiser": "acme", "why": " ", "by": "jo"}, "say who and why"),
        ("pause", {"advertiser": "acme", "why": "x", "by": ""}, "say who and why"),
        ("pause", {"advertiser": "acme", "why": "x", "by": "jo", "until": "tomorrow"}, "until 'tomorrow' is not a time; write it as"),
        ("pause", {"advertiser": "acme", "why": "x", "by": "jo", "until": "2020-01-01"}, "is over already"),
        ("resume", {"advertiser": "acme", "why": "x", "by": "jo"}, "acme is not paused"),
        ("resume", {"advertiser": "acne", "why": "x", "by": "jo"}, "unknown advertiser 'acne'"),
    ],
)
def test_a_wrong_value_fails_the_run_once_with_one_message_and_changes_nothing(launch, switch, name, config, message):
    result, _ = launch(name, **config)
    assert not result.success
    assert message in failure_of(result)
    assert failure_of(result).endswith("Nothing was changed.")
    assert [e.event_type_value for e in result.all_events].count("STEP_START") == 1
    assert switch.history() == []


def test_a_missing_field_is_refused_before_the_run_starts(launch):
    with pytest.raises(dg.DagsterInvalidConfigError, match="why"):
        launch("pause", advertiser="acme", by="jo")


def test_the_launchpad_offers_every_field_empty_and_described(launch):
    for job, config in zip(build_kill_switch_jobs(), (PauseConfig, ResumeConfig), strict=True):
        [fields] = [op["config"] for op in job.run_config["ops"].values()]
        assert set(fields) == set(config.model_fields)
        assert set(fields.values()) == {""}
        assert all(field.description for field in config.model_fields.values())
        # Left as it is, the scaffold does nothing but fail.
        result, _ = launch(job.name.removesuffix("_advertiser"), **fields)
        assert not result.success


def test_the_switch_goes_first_never_again_and_does_not_wait_for_what_it_stops():
    for job in build_kill_switch_jobs():
        assert int(job.tags["dagster/priority"]) > 10  # mornings
        assert job.tags["dagster/max_retries"] == "0"
        assert job.tags["dagster/retry_on_asset_or_op_failure"] == "false"
        assert "marketing_agents/advertiser" not in job.tags  # limited to one run at a time
