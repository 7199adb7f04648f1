"""What people ask the bot in chat, and what it answers."""
