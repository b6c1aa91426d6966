"""Getting the work done: the flow of files, the queue, the workers and what the machine can bear.

`flow` claims a task, sends the file on one visit to a worker, and records what came back; a task's
attempt is counted and committed before its work starts. Read first: `flow.py`.
"""
