"""Fall risk as REST."""
