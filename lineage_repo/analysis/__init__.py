"""What a lineage's trials say together. Definitions stand in the docstrings; nothing here writes."""
