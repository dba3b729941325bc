"""One engine, its sessions, the models and their migrations. It knows neither rules nor Discord."""
