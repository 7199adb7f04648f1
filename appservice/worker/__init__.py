"""The jobs: videos to be made playable, rooms to be tended, senders to be told, files to be swept."""
