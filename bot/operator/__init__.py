"""What the operator does and sees: commands, checks, backups, logging, and the offline preview."""
