"""Page doorways of fall risk."""
