"""The drawing of the agent graph for the docs, made from the graph. `docs/agent_graph.md` is this text; a test holds the two together."""

from __future__ import annotations

from marketing_agents.agents import nodes
from marketing_agents.agents.graph import agent_graph


def graph_markdown() -> str:
    """Mermaid drawing, and what each node does (the first paragraph of its docstring)."""
    functions = (nodes.gather_evidence, nodes.write, nodes.verify, nodes.repair, nodes.offline_writer, nodes.quiet, nodes.finish)
    rows = "\n".join(f"| `{node.__name__}` | {(node.__doc__ or '').strip().splitlines()[0]} |" for node in functions)
    # Directions for the renderer, not for readers of the source.
    drawing = agent_graph().get_graph().draw_mermaid().strip()
    return (
        "# The agent graph\n\n"
        "Made by `marketing_agents/agents/diagram.py`; a test fails when the two differ. One graph serves all domains.\n\n"
        f"```mermaid\n{drawing}\n```\n\n"
        "| node | what it does |\n|---|---|\n"
        f"{rows}\n\n"
        "Failures of the model (`agents/failure.py` decides what is one) lead from `write` and `repair` to `offline_writer`; bugs fail the run.\n"
    )
