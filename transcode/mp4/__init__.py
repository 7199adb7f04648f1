"""ISO BMFF: boxes and sample tables in, media segments out, without decoding. Pure, and of no other module of ours.

Whatever is wrong with a file is a ValueError.
"""
