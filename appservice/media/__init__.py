"""The media folder, and its files read as one."""
