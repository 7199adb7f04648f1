"""`roomreel admin backup` and `restore`: the database and the files that it names, as they were at one moment."""
