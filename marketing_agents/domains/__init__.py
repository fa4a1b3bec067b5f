"""What the agents are about: one folder per domain, read by `registry.load_domains`."""
