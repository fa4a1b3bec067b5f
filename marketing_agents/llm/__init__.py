"""Models, prompts and traces behind three small ports; nothing here is needed for a result."""
