"""ISO BMFF: boxes and sample tables in, media segments out, without decoding. Pure."""
