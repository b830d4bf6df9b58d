"""Recorder: keeps every fact of the bus, as it travelled, in checksummed hourly files.

Reads: every topic of every publisher, undecoded. Publishes: `recorder.status` each second.
When it dies, hangs or its disk fails, trading goes on: nothing waits for it; what was said
meanwhile is missing from the recording, and the recording says so where it resumes.
"""
