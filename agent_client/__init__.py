"""The researchers: sessions of specialist agents, the campaign loop, and the stand-in for a model."""
