"""The operator's side: commands, checks, backups, logging, and the offline preview."""
