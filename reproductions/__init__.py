"""Papers repeated with physadv, each a program with its page in docs/results: not part of the wheel."""
