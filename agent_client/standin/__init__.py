"""The stand-in model: a loopback Messages endpoint that plays an honest search."""
