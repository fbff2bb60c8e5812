"""Whether a domain's held mail would be taken by its destination: facts, verdicts and remedies."""
