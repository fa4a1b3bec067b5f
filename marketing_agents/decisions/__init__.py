"""From proposals to one list: action vocabulary, guardrails, conflicts, ranking, merge."""
