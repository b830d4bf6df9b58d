"""The processes, in flow order; they meet only on the bus.

feed, state, strategy, execution; risk and watch beside; recorder keeps everything;
simulator stands in for the venue.
"""
