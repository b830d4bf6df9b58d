"""The processes, in flow order; they meet only on the bus.

feed, state, strategy, execution; risk and watch beside; recorder keeps everything;
dashboard shows, simulator stands in for the venue.
"""
