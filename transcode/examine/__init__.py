"""What a file is, whether it is whole, how long it plays, and what has to be prepared before renditions are made."""
