"""A scripted first session at a venue: asks with minimum orders what no page of it says.

`questions_*.py` hold the questions as data: why each matters, how it is asked, and what the
simulator assumes. `steps_*.py` ask them; `session.py` runs the script and, whatever happens,
cancels all and proves zero. Every raw request, answer and frame is kept without secrets
(`transcript.py`), and `comparing.py` lays two sessions beside one another by their forms.

Deliberately slow and simple, beside the trading system and never in it: it refuses to run
while a group has the account. Its few orders are signed here with the wallet's key; every one
is a GTD order that dies within minutes by itself should this process be killed.
"""
