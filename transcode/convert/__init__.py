"""Make a video of an image or of audio, which is then transcoded as any other."""
