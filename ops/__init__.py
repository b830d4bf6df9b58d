"""What an operator does with the group of processes: start it, look at it, stop it.

Stands on `bus` and `shared`, never on a service: where it must do a service's work
(the last cancel, the proof), it speaks to the venue or to the control socket itself.
"""
