"""A whole study in one TOML file: its runs, the steps that are due, and its tables."""
