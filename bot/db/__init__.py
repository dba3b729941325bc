"""One engine, its sessions, the models and their migrations. It knows nothing of heroes' rules or of Discord."""
