"""Another venue's books, live or recorded, against which our orders are matched here."""
