"""Questions about the platform: how each is asked (Commands) and how its answer is read (a judge). Pure.

A new question is a module in traffic/, storage/, host/ or platform/ and a line in that room's table. What is not in: running Commands, and where a failure is.
"""
