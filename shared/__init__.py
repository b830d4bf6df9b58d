"""The words that every process shares: types, rules and tables, all pure.

Holds no clock, socket, file, thread or chance. Services and bus stand on it; it
stands on nothing of ours.
"""
