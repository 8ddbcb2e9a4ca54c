"""One folder per outside system; each registers itself in `connectors.registry` when it is imported."""
