"""The composition root: the only place where configuration, adapters, jobs and routes meet."""
