"""Storage: git, files and locks. The only room that runs git."""
