"""The venue's dialect, pure: its numbers, identities, hashes, messages and rules.

The live system and the simulator speak through the same modules, so that what one writes
the other reads. Nothing here opens a socket, reads a clock or holds a key.
"""
