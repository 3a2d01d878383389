"""The frozen values that all other rooms exchange. Pure data: no git, no terminal, no clock except `now`."""
