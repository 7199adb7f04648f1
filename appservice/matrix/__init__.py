"""Everything that we ask of homeservers: rooms, media, and who a viewer is."""
