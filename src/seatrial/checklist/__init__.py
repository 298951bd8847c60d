"""Checklists: files of cmd-checklist-runner, what they say and what the answers to them mean. Pure.

What is in: reading the YAML, expanding commands, judging, and the lines and figures that other tools read. What is not:
running a command, which is the work of perform/checklist.py.
"""
