"""The domain agent: one LangGraph graph for all domains, its evidence, grounding check and offline writer."""
