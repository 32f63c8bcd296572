"""Training embedders: recipes in TOML, margin losses, photos rendered or read, one loop from a CPU to several GPUs."""
