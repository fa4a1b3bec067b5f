"""`python -m benchmarks [name ...] [--json]`: run measurements and print a table."""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys

from rich.console import Console
from rich.table import Table

BENCHMARKS = (
    "imports",
    "partition",
    "feature_sql",
    "rule_evaluation",
    "analysis_step",
    "backfill",
    "growth",
    "mornings_beside_backfill",
    "missing_only",
    "morning_tick",
)


def main() -> int:
    """Run the named benchmarks (default: all); 0 when all ran."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...")
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="which to run; default: all")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    results = {}
    for name in arguments.names or BENCHMARKS:
        with console.status(f"{name} ..."):
            results[name] = importlib.import_module(f"benchmarks.{name}").measure()
        if not arguments.json:
            table = Table("figure", "value", title=name)
            for figure, value in results[name].items():
                table.add_row(figure, f"{value:.3g}" if isinstance(value, float) else str(value))
            Console().print(table)
    if arguments.json:
        print(json.dumps({"machine": f"{platform.machine()} {platform.python_version()}", **results}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
