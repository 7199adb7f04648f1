"""The use cases: one function for each, for every caller, by the page, by a command or by a reaction.

Each checks permissions, changes the row in one transaction with its audit line and notifications, and ends what the
caches of this process still let through. Callers read the request, and write the response.
"""
