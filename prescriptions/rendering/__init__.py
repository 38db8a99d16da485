"""Videos and pictures of a motion, drawn by the player's own code in a Chromium without a window. No database, no
Django."""
