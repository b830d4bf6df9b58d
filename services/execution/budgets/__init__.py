"""What the venue lets be sent, and when: rates of key and address, phases, and how posts wait."""
