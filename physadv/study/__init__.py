"""A whole study from one TOML file: which runs it needs, which steps are due, and its tables."""
