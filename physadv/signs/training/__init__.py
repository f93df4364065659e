"""Training the bundled sign classifier, and hardening it against stickers."""
