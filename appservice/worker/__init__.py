"""The jobs: videos to be made playable, rooms to be tended, senders to be notified, files to be swept."""
