"""Picture work, off the event loop: members' portraits and the chart of a roster's statistics."""
