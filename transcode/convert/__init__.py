"""An image or audio becomes a video that `transcode` takes as any other."""
