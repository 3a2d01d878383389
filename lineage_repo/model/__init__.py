"""The frozen values that everything else passes around. Pure data: no git, no clock but `now`, no terminal."""
