"""How the engine compares with OpenSim, force plates and published figures."""
