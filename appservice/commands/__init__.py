"""The bot's chat commands, and its responses."""
