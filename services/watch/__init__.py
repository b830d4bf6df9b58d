"""Watch: sees the life of risk from outside, since nothing else would.

A listener of supervisord's events. It restarts nothing that is dead (supervisord does); it
kills a risk that hangs, so that supervisord starts it anew, and sends the alerts that a dead risk
cannot. It writes down every end of a program, since supervisord forgets them; what follows from
too many of them is risk's to decide. Nothing here makes trading safe: execution's lease has ended
long before.

Reads: supervisord's PROCESS_STATE and TICK_5 events on standard input; `risk.alive` in the run
directory, which risk's own loop touches.

Writes: `program-events.jsonl` in the run directory, which risk reads; `alerts.jsonl` in the data
directory, and the same lines on standard error.

When it dies: supervisord starts it again; a risk that hangs meanwhile stays hung, fenced.
"""
