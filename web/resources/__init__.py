"""The API's resources: one file each, with one `RESOURCE` and its handlers.

A handler gets who asks and what was asked, calls one service, and gives a value back. It knows
neither HTTP statuses of errors nor who may call it: the route says that.
"""
