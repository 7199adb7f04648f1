"""All requests to homeservers: rooms, media, and who a viewer is."""
