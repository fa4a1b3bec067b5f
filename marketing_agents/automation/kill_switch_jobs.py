"""The jobs `pause_advertiser` and `resume_advertiser`: the kill switch from the Launchpad, for people without a terminal.

No postponed annotations in this module: Dagster reads the annotations of `context` and `config` as they are.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from marketing_agents.advertisers.registry import RegistryError
from marketing_agents.assets.partition_step import OWNERS
from marketing_agents.automation.run_tags import PRIORITY_TAG
from marketing_agents.operations import pausing
from marketing_agents.operations.pausing import UNTIL_FORMS
from marketing_agents.state.kill_switch import KillSwitch, KillSwitchError

if TYPE_CHECKING:
    from marketing_agents.resources.platform import RegistryFile
    from marketing_agents.state.kill_switch import SwitchEntry
    from marketing_agents.state.store import StateStore

_TAGS = {
    # First in the queue, before mornings and backfills: somebody wants a thing to stop. Without the advertiser's tag, or it would wait for
    # the very run that it is to stop.
    PRIORITY_TAG: "100",
    # A wrong name is as wrong the second time, and a switch that was flipped before a crash must not be flipped again unasked.
    "dagster/max_retries": "0",
    "dagster/retry_on_asset_or_op_failure": "false",
    "dagster/max_runtime": "300",
}


class PauseConfig(dg.Config):
    """What a pause needs."""

    advertiser: str = Field(description="Advertiser id, as in the registry.")
    why: str = Field(description="One sentence; schedules, run pages and reports show it.")
    by: str = Field(description="Your name: Dagster does not know who you are.")
    until: str = Field(
        default="",
        description=f"When the pause ends by itself: {UNTIL_FORMS}, in the advertiser's own zone unless one is given. Empty: until somebody resumes it.",
    )


class ResumeConfig(dg.Config):
    """What a resume needs."""

    advertiser: str = Field(description="Advertiser id, as in the registry.")
    why: str = Field(description="One sentence for the history.")
    by: str = Field(description="Your name: Dagster does not know who you are.")


@dg.op(name="pause", description="Writes the pause into the kill switch's log.")
def _pause(context: dg.OpExecutionContext, config: PauseConfig, registry: dg.ResourceParam[Any], state: dg.ResourceParam[Any]) -> None:
    now = datetime.now(UTC)
    _flip(
        context,
        config.advertiser.strip(),
        registry,
        state,
        lambda advertisers, switch: pausing.pause(
            advertisers, switch, config.advertiser, who=config.by, why=config.why, until=config.until, now=now
        ),
        now,
    )


@dg.op(name="resume", description="Writes the resume into the kill switch's log.")
def _resume(context: dg.OpExecutionContext, config: ResumeConfig, registry: dg.ResourceParam[Any], state: dg.ResourceParam[Any]) -> None:
    now = datetime.now(UTC)
    _flip(
        context,
        config.advertiser.strip(),
        registry,
        state,
        lambda advertisers, switch: pausing.resume(advertisers, switch, config.advertiser, who=config.by, why=config.why, now=now),
        now,
    )


def _flip(
    context: dg.OpExecutionContext,
    advertiser_id: str,
    registry: "RegistryFile",
    state: "StateStore",
    order: "Callable[[Any, KillSwitch], SwitchEntry]",
    now: datetime,
) -> None:
    """Carry out the order, then say what is in force and show the history on the run's page.

    Raises:
        Failure: the order makes no sense; nothing was changed.
    """
    switch = KillSwitch(state)
    try:
        advertisers = registry.load()
        entry = order(advertisers, switch)
    except (KillSwitchError, RegistryError) as error:
        raise dg.Failure(f"{error}. Nothing was changed.", allow_retries=False) from None
    told = pausing.in_force(advertisers.require(advertiser_id), entry, now)
    context.log.info("In force now: %s", told)
    history = pausing.history_markdown(switch.history([advertiser_id]), advertisers)
    context.add_output_metadata({"in_force": told, "advertiser": advertiser_id, "history": dg.MetadataValue.md(history)})


def build_kill_switch_jobs() -> list[dg.JobDefinition]:
    """`pause_advertiser` and `resume_advertiser`, with fields to fill in as the Launchpad's default configuration."""

    @dg.job(
        name="pause_advertiser",
        description=(
            "Kill switch: holds an advertiser. Schedules pass it over with the reason, and a run that works on it stops at its next step; "
            "what was finished stays. Fill in the fields in the Launchpad. From a terminal: `marketing-agents pause`."
        ),
        config=dg.RunConfig(ops={"pause": PauseConfig(advertiser="", why="", by="")}),
        tags=_TAGS,
        owners=OWNERS,
    )
    def pause_advertiser() -> None:
        _pause()

    @dg.job(
        name="resume_advertiser",
        description=(
            "Kill switch: lets a paused advertiser go again, from the next morning on. Days that were passed over are not made by themselves: "
            "backfill them. From a terminal: `marketing-agents resume`."
        ),
        config=dg.RunConfig(ops={"resume": ResumeConfig(advertiser="", why="", by="")}),
        tags=_TAGS,
        owners=OWNERS,
    )
    def resume_advertiser() -> None:
        _resume()

    return [pause_advertiser, resume_advertiser]
