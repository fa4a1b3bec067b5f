"""All rules on 100 advertisers x 90 feature days x 200 campaigns x 5 ads, against reading the same marts once and against plain pandas loops.

The marts are real: two clean generated advertisers, loaded morning by morning and built by dbt. Their rows are evaluated once per pair of the
100 advertisers (the figures repeat, the work does not), so that the machine needs memory for one pair. 90 feature days are the 55 of the episode
window and 35 days that are asked for. BENCH_ADVERTISERS=4 gives a quick look, BENCH_CAMPAIGNS=40 a quicker one.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from marketing_agents.settings import PROJECT_DIR

ADVERTISERS = int(os.environ.get("BENCH_ADVERTISERS", "100"))
CAMPAIGNS = int(os.environ.get("BENCH_CAMPAIGNS", "200"))
ADS = 5
FEATURE_DAYS = 90
ASKED_DAYS = FEATURE_DAYS - 55
CHUNK = 7
"""Asked days per evaluation where memory is measured, as a backfill with chunks of seven partitions would do it."""
PAIR = 2


def measure() -> dict[str, float]:
    """Seconds and ratios; peak memory for a quarter, half and all of the asked days."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        rows = _make_marts(root)
        once = _child(root, "time", ASKED_DAYS)
        pairs = ADVERTISERS / PAIR
        result = {
            "rows of all marts (millions)": rows * pairs / 1e6,
            "rules": once["rules"],
            "reading the marts once (s)": once["read_s"] * pairs,
            "evaluating all rules (s)": once["evaluate_s"] * pairs,
            "evaluating / reading": once["evaluate_s"] / once["read_s"],
            "findings": once["findings"] * pairs,
        }
        for rule_id, (loop_s, rule_s) in once["loops"].items():
            result[f"{rule_id}: plain pandas loop / the rule"] = loop_s / rule_s
        for days in (ASKED_DAYS // 4, ASKED_DAYS // 2, ASKED_DAYS):
            result[f"peak memory, {days} asked days (MB)"] = _child(root, "memory", days)["peak_mb"]
        return result


def _make_marts(root: Path) -> int:
    """One Parquet file per mart, and what `evaluate` needs besides."""
    import pickle

    from marketing_agents.assets.evaluation import feature_builder
    from marketing_agents.days import LocalDay
    from marketing_agents.evaluation.known_versions import write_versions
    from marketing_agents.evaluation.run import END, registry_of
    from marketing_agents.evaluation.seeded import SeededAdvertiser
    from marketing_agents.sample.businesses import generated_profiles
    from marketing_agents.settings import Settings
    from marketing_agents.warehouse.embedded.parquet import connect
    from marketing_agents.warehouse.embedded.transform import DATABASE_VARIABLE, MARTS_SCHEMA, write_log_and_request
    from marketing_agents.warehouse.marts import load_marts

    profiles = generated_profiles(PAIR, campaigns=CAMPAIGNS, ads_per_adgroup=ADS)
    group = [SeededAdvertiser(profile, seed) for seed, profile in enumerate(profiles, start=1)]
    asked = [LocalDay(p.advertiser.id, END - timedelta(days=back)) for p in profiles for back in range(ASKED_DAYS)]
    database = root / "private.duckdb"
    with connect(str(database)) as connection:
        connection.execute("CREATE SCHEMA raw")
        connection.execute(f"CREATE SCHEMA {MARTS_SCHEMA}")
        _, log = write_versions(connection, group, END, lambda _: None)
        write_log_and_request(connection, log, registry_of(group), asked)
    feature_builder(Settings(data_dir=root / "data"))({DATABASE_VARIABLE: str(database)})
    (root / "asked.pickle").write_bytes(pickle.dumps((asked, log)))
    rows = 0
    with connect(str(database), read_only=True) as connection:
        for name, mart in load_marts(PROJECT_DIR / "dbt_project").items():
            if mart.layer == "marts":
                target = root / f"{name}.parquet"
                connection.execute(f"COPY {MARTS_SCHEMA}.{name} TO '{target}' (FORMAT parquet)")
                rows += connection.execute(f"SELECT count(*) FROM {MARTS_SCHEMA}.{name}").fetchone()[0]
    database.unlink()
    return rows


def _child(root: Path, what: str, days: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.rule_evaluation", str(root), what, str(days)],
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def _read(root: Path, since: Any = None) -> dict[str, Any]:
    """All marts as the pipeline hands them to the rules: decimals as floats. `since`: from this feature day on."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    frames = {}
    for path in sorted(root.glob("*.parquet")):
        table = pq.read_table(path, filters=None if since is None else [("date", ">=", since)])
        schema = pa.schema([pa.field(f.name, pa.float64()) if pa.types.is_decimal(f.type) else f for f in table.schema])
        frames[path.stem] = table.cast(schema).to_pandas()
    return frames


def _main(root: Path, what: str, days: int) -> None:
    import pickle

    from marketing_agents.rules.availability import availability
    from marketing_agents.rules.catalogue_file import load_packaged_catalogue
    from marketing_agents.rules.evaluate import evaluate
    from marketing_agents.warehouse.marts import load_marts

    asked, log = pickle.loads((root / "asked.pickle").read_bytes())
    catalogue = load_packaged_catalogue(load_marts(PROJECT_DIR / "dbt_project"))
    last = max(day.day for day in asked)
    wanted = [day for day in asked if day.day > last - timedelta(days=days)]
    chunks = [
        [day for day in wanted if last - timedelta(days=start + CHUNK) < day.day <= last - timedelta(days=start)]
        for start in range(0, days, CHUNK)
    ]
    if what == "memory":
        for chunk in chunks:
            first = min(day.day for day in chunk) - timedelta(days=55)
            evaluate(catalogue, _read(root, first), chunk, availability(log, chunk))
        print(json.dumps({"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    _read(root)  # once before, so that the files are in the page cache for both sides
    read_s, frames = _timed(lambda: _read(root))
    inputs = availability(log, wanted)
    evaluate_s, evaluation = _timed(lambda: evaluate(catalogue, frames, wanted, inputs))
    found = sum(len(findings) for findings in evaluation.findings.values())
    print(
        json.dumps(
            {
                "read_s": read_s,
                "evaluate_s": evaluate_s,
                "findings": found,
                "rules": len(catalogue.rules),
                "loops": _loops(catalogue, frames, wanted, log),
            }
        )
    )


def _timed(action: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = action()
    return time.perf_counter() - started, result


def _loops(catalogue: Any, frames: Mapping[str, Any], wanted: list[Any], log: list[Any]) -> dict[str, tuple[float, float]]:
    """(seconds of a plain loop over rows, seconds of the same rule judged by the engine) for rules of a small and a large mart."""
    from marketing_agents.rules.availability import availability
    from marketing_agents.rules.evaluate import judged_rules
    from marketing_agents.rules.mart_rows import Calendar

    calendar, inputs = Calendar(wanted), availability(log, wanted)
    result = {}
    for rule_id, (mart, loop) in {
        "MEDIA-001": ("campaign_features", _media_001),
        "CREATIVE-004": ("adgroup_features", _creative_004),
    }.items():
        loop_s, _ = _timed(lambda loop=loop, mart=mart: loop(frames[mart]))
        rule_s, _ = _timed(
            lambda rule_id=rule_id: [
                None for judged, _ in judged_rules(catalogue, frames, calendar, inputs, only=frozenset({rule_id})) if judged
            ]
        )
        gates_s, _ = _timed(lambda: [None for judged, _ in judged_rules(catalogue, frames, calendar, inputs, only=frozenset()) if judged])
        result[rule_id] = (loop_s, max(rule_s - gates_s, 1e-3))
    return result


def _media_001(frame: Any) -> int:
    from scipy.stats import poisson

    fired = 0
    for row in frame.itertuples():
        target = row.campaign_target_cpa if row.campaign_target_cpa == row.campaign_target_cpa else row.advertiser_target_cpa
        if not target or row.history_days < 7:
            continue
        expected = row.spend_w14m / target
        if row.conversions_w14m < 10 and expected < 5:
            continue
        if expected / max(row.conversions_w14m, 1) >= 1.10 and poisson.cdf(row.conversions_w14m, expected) < 0.05:
            fired += 1
    return fired


def _creative_004(frame: Any) -> int:
    fired = 0
    for row in frame.itertuples():
        if row.is_dynamic_creative or not row.spend_w14 or row.spend_w14 < 500 or not row.active_ads_w14 or row.active_ads_w14 < 3:
            continue
        if row.top_ad_spend_w14 / row.spend_w14 >= 0.70:
            fired += 1
    return fired


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
