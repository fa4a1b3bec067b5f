"""A seeded generator of a believable agency with planted incidents: `agency.write_agency(directory, spec)`."""
