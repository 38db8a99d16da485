"""Files that leave the house: PDF and FHIR."""
