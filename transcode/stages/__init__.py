"""The stages of a job, which a session publishes: a first rendition that is quickly playable, then the ladder."""
