"""Questions about the platform: how each is asked (Commands) and how its answer is read (a judge). Pure.

A new question is a module here and a line in registry.py. What is not in: running Commands, and where a failure is.
"""
