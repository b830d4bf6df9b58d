"""Is the data right: each check a file of its own, with a bounded memory of what was before.

Nothing here stops trading. A value that is refused never reaches the view; what is wrong is told
as `state.quality`, and risk alone pauses the asset on it. The view's own validity would be the
wrong place: a doubtful price makes no book wrong, and positions are closed by that book.
"""
