"""Every question, in the order in which people read them."""

from ops.probe.asked_of_lives import LIVES
from ops.probe.asked_of_orders import ORDERS
from ops.probe.asked_of_streams import STREAMS
from ops.probe.questions import Question

QUESTIONS: tuple[Question, ...] = (*ORDERS, *LIVES, *STREAMS)
