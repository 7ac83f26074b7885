# meant to write the model later
